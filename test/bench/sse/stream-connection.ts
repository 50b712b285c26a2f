import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Reads only the times in the events of a stream. A complete client would itself dominate the measurement. */
export class StreamConnection {
  private received = '';

  private constructor(
    private readonly socket: Socket,
    private readonly onEvent: (sentAt: number) => void,
  ) {
    socket.setEncoding('latin1').on('data', (text: string) => this.read(text));
    socket.on('error', () => undefined);
  }

  /** @returns when the stream has begun */
  static async open(url: string, path: string, onEvent: (sentAt: number) => void): Promise<StreamConnection> {
    const { hostname, port, host } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const [head] = (await once(socket.setEncoding('latin1'), 'data')) as [string];
    if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`Expected a stream from ${path}, got ${head}`);
    return new StreamConnection(socket, onEvent);
  }

  close(): void {
    this.socket.destroy();
  }

  private read(text: string): void {
    this.received += text;
    const end = this.received.lastIndexOf('\n\n');
    if (end === -1) return;
    for (const [, sentAt] of this.received.slice(0, end).matchAll(/"note":"at ([\d.]+)"/g))
      this.onEvent(Number(sentAt));
    this.received = this.received.slice(end);
  }
}
