import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

/** A mail server in this process, so that emails are sent and received on the same clock. */
export class MailCatcher {
  private readonly arrivals = new Map<string, number[]>();
  private readonly waiting = new Map<string, () => void>();
  private readonly server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData: (stream, session, taken) => {
      stream.resume();
      stream.once('end', () => {
        for (const { address } of session.envelope.rcptTo) this.arrived(address);
        taken();
      });
    },
  });

  async listen(): Promise<string> {
    this.server.on('error', () => undefined); // Ignores errors of connections that a worker drops when it ends.
    this.server.listen(0, '127.0.0.1');
    await once(this.server.server, 'listening');
    return `smtp://127.0.0.1:${(this.server.server.address() as AddressInfo).port}`;
  }

  /** @returns when the first copy was complete, by `performance.now()` */
  async arrivalOf(recipient: string): Promise<number> {
    if (!this.arrivals.has(recipient)) {
      await new Promise<void>((resolve) => this.waiting.set(recipient, resolve));
    }
    return this.arrivals.get(recipient)![0]!;
  }

  /** @returns the number of emails, including copies */
  get count(): number {
    return [...this.arrivals.values()].flat().length;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private arrived(recipient: string): void {
    const before = this.arrivals.get(recipient) ?? [];
    this.arrivals.set(recipient, [...before, performance.now()]);
    this.waiting.get(recipient)?.();
  }
}
