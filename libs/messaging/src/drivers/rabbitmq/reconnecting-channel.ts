import { setTimeout as delay } from 'node:timers/promises';
import type { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import type { Channel } from 'amqplib';
import { BrokerUnavailable } from '../../port/broker-errors';
import { withTimeout } from '../../with-timeout';

type AmqpManager = AmqpConnection['managedConnection'];

const reopenMs = 200;
const openMs = 5_000;
const closeMs = 2_000;

/**
 * A channel that reopens after a reconnect, and after an error that closed only the channel: the connection manager
 * does not reopen such a channel. `setUp` runs on each new channel before it is used.
 */
export class ReconnectingChannel<C extends Channel = Channel> {
  private channel: C | undefined;
  private opening = false;
  private retired = false;
  private whyNot: unknown = new Error('it was not reached yet');
  /** Why RabbitMQ no longer reads from the connection; nothing may be written to it meanwhile. */
  private blockedBy: string | undefined;
  private readonly onBlocked = ({ reason }: { reason: string }): void => void (this.blockedBy = reason);
  private firstOpened!: () => void;
  /** Resolves when the channel was open once. Waits without a deadline. */
  readonly opened = new Promise<void>((resolve) => (this.firstOpened = resolve));

  constructor(
    private readonly manager: AmqpManager,
    private readonly create: (connection: NonNullable<AmqpManager['connection']>) => Promise<C>,
    private readonly setUp: (channel: C) => Promise<void>,
  ) {
    manager.on('connect', this.goOn);
    manager.on('blocked', this.onBlocked);
    manager.on('unblocked', this.goOn);
    void this.open();
  }

  /** Why the last channel closed; undefined while one is open. */
  get whyClosed(): unknown {
    return this.channel ? undefined : this.whyNot;
  }

  /** What is written to a blocked connection stays in memory until RabbitMQ reads from it again. */
  get isBlocked(): boolean {
    return this.blockedBy !== undefined;
  }

  /**
   * @returns the open channel
   * @throws BrokerUnavailable while no channel is open, and while RabbitMQ has blocked the connection
   */
  now(): C {
    if (this.blockedBy !== undefined) throw new BrokerUnavailable('rabbitmq', `it takes nothing (${this.blockedBy})`);
    if (!this.channel) throw new BrokerUnavailable('rabbitmq', this.whyNot);
    return this.channel;
  }

  /** Closes the channel, with all that is unconfirmed on it, and opens a new one. */
  renew(why: unknown): void {
    const channel = this.channel;
    this.lose(channel, why);
    void channel?.close().catch(() => undefined);
  }

  /** Opens no further channel. */
  retire(): void {
    this.retired = true;
    this.manager.off('connect', this.goOn);
    this.manager.off('blocked', this.onBlocked);
    this.manager.off('unblocked', this.goOn);
  }

  async close(): Promise<void> {
    this.retire();
    const channel = this.channel;
    this.channel = undefined;
    if (channel) await withTimeout(closeMs, channel.close(), 'it did not answer').catch(() => undefined);
  }

  /** The connection is new or no longer blocked. */
  private readonly goOn = (): void => {
    this.blockedBy = undefined;
    void this.open();
  };

  private async open(): Promise<void> {
    const { connection } = this.manager;
    if (this.opening || this.channel || this.retired || this.blockedBy !== undefined || !connection) return;
    this.opening = true;
    let made: C | undefined;
    try {
      // On a silent connection a channel neither opens nor fails.
      made = await withTimeout(openMs, this.create(connection), 'it opened no channel');
      const channel = made;
      let closed: unknown;
      channel.on('error', (error: Error) => (closed = error));
      channel.once('close', () => {
        closed ??= new Error('the channel was closed');
        this.lose(channel, closed);
      });
      await withTimeout(openMs, this.setUp(channel), 'it did not answer');
      if (closed !== undefined) throw closed as Error;
      this.channel = channel;
      this.firstOpened();
    } catch (error) {
      this.whyNot = error;
      void made?.close().catch(() => undefined);
    } finally {
      this.opening = false;
    }
    if (!this.channel) this.openLater();
  }

  private lose(channel: C | undefined, why: unknown): void {
    if (channel === undefined || this.channel !== channel) return;
    this.channel = undefined;
    this.whyNot = why;
    this.openLater();
  }

  /** When the connection is lost too, its reconnect opens the channel. */
  private openLater(): void {
    void delay(reopenMs, undefined, { ref: false }).then(() => this.open());
  }
}
