import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const waitMs = 30_000;

/** A connection on which a test writes HTTP itself, in ways that no HTTP client allows. */
export class RawConnection {
  received = '';
  isClosed = false;
  /** Resolves when the server closes the connection, or after a maximum wait: then `isClosed` is false. */
  readonly closed: Promise<void>;

  private constructor(readonly socket: Socket) {
    socket.setEncoding('utf8').on('data', (text: string) => (this.received += text));
    socket.on('error', () => undefined); // A reset also closes the connection.
    this.closed = new Promise((resolve) => {
      const givingUp = setTimeout(resolve, waitMs);
      socket.once('close', () => {
        clearTimeout(givingUp);
        this.isClosed = true;
        resolve();
      });
    });
  }

  static async open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const connection = new RawConnection(connect(Number(port), hostname));
    await once(connection.socket, 'connect');
    return connection;
  }

  /** @param head the request line and header lines, without Host */
  request(head: readonly string[], body: string | Buffer = ''): this {
    const [line, ...headers] = head;
    this.socket.write([line, 'Host: localhost', ...headers, '', ''].join('\r\n'));
    if (body.length > 0) this.socket.write(body);
    return this;
  }

  get status(): number | undefined {
    const status = [...this.received.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, code]) => Number(code));
    return status.find((code) => code !== 100);
  }

  get code(): string | undefined {
    return /"code":"([^"]+)"/.exec(this.received)?.[1];
  }
}

/** Encodes `text` as chunks of one byte, for `Transfer-Encoding: chunked`. */
export function inChunksOfOneByte(text: string): string {
  return text.replaceAll(/./g, (character) => `1\r\n${character}\r\n`);
}
