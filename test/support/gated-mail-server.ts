import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { until } from './until';

/** A slow mail server: it accepts no email before the gate is open. */
export class GatedMailServer {
  /** The accepted emails, by Message-ID. */
  readonly accepted = new Map<string, number>();
  /** Emails whose sender waits for an answer. */
  private readonly held = new Map<string, () => void>();
  private isOpen = false;
  private readonly server: SMTPServer;

  private constructor() {
    this.server = new SMTPServer({
      authOptional: true,
      closeTimeout: 100,
      disabledCommands: ['STARTTLS'],
      onData: (stream, { id }, callback) => {
        void buffer(stream).then(async (bytes) => {
          const { messageId } = await PostalMime.parse(bytes);
          const accept = (): void => {
            this.held.delete(id);
            this.accepted.set(messageId!, (this.accepted.get(messageId!) ?? 0) + 1);
            callback(null);
          };
          if (this.isOpen) accept();
          else this.held.set(id, accept);
        });
      },
      // If a sender disconnects before the answer, its email was not accepted.
      onClose: ({ id }) => this.held.delete(id),
    });
    this.server.on('error', () => undefined);
  }

  static async start(): Promise<GatedMailServer> {
    const mailServer = new GatedMailServer();
    await new Promise<void>((resolve) => mailServer.server.listen(0, '127.0.0.1', resolve));
    return mailServer;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.server.server.address() as AddressInfo).port}`;
  }

  async holds(count: number): Promise<void> {
    await until(
      `the mail server holds ${count} emails`,
      () => Promise.resolve(this.held.size),
      (size) => size === count,
      60_000,
    );
  }

  /** Sends each waiting sender one more line of its answer. Without it, the sender would time out. */
  reassure(): void {
    for (const { id, _socket } of this.server.connections as unknown as Iterable<{ id: string; _socket: Socket }>) {
      if (this.held.has(id)) _socket.write('250-Wait\r\n');
    }
  }

  open(): void {
    this.isOpen = true;
    for (const accept of [...this.held.values()]) accept();
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(resolve));
  }
}
