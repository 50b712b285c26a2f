import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/**
 * A keep-alive connection that sends one request at a time and parses only the necessary parts of the answer. A
 * complete HTTP client would take a large part of the CPU from the server that is measured.
 */
export class HttpConnection {
  private received = '';
  private waiting: { resolve: (status: number) => void; reject: (error: Error) => void } | undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly host: string,
  ) {
    socket.setNoDelay(true);
    socket.setEncoding('latin1').on('data', (text: string) => this.read(text));
    socket.on('error', (error) => this.waiting?.reject(error));
    socket.on('close', () => this.waiting?.reject(new Error('The server closed the connection.')));
  }

  static async open(url: string): Promise<HttpConnection> {
    const { hostname, port, host } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new HttpConnection(socket, host);
  }

  /**
   * @param body JSON
   * @returns the status of the answer, when it is complete
   */
  post(path: string, body: string): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.socket.destroyed) throw new Error('The server has closed the connection.');
      this.waiting = { resolve, reject };
      this.socket.write(
        `POST ${path} HTTP/1.1\r\nHost: ${this.host}\r\nContent-Type: application/json\r\n` +
          `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    });
  }

  close(): void {
    this.waiting = undefined;
    this.socket.destroy();
  }

  private read(text: string): void {
    this.received += text;
    const headEnd = this.received.indexOf('\r\n\r\n');
    if (headEnd === -1) return;
    const length = /\r\ncontent-length: (\d+)/i.exec(this.received.slice(0, headEnd))?.[1];
    if (length === undefined) {
      this.waiting?.reject(new Error(`Expected an answer with a Content-Length, got ${this.received}`));
    } else if (this.received.length >= headEnd + 4 + Number(length)) {
      const status = Number(this.received.slice(9, 12));
      this.received = '';
      this.waiting?.resolve(status);
    }
  }
}
