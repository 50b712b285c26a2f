import { setTimeout as delay } from 'node:timers/promises';
import type { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import type { Channel, ConfirmChannel } from 'amqplib';
import { BrokerUnavailable } from '../../port/broker-errors';
import { within } from '../../within';

type AmqpManager = AmqpConnection['managedConnection'];

const reopenMs = 200;
const openMs = 5_000;
const closeMs = 2_000;

/**
 * A channel that comes back: after a reconnect, and after an error that closed the channel alone, which the
 * connection manager does not mend. `setUp` runs on each new channel before anybody else gets it.
 */
export class LastingChannel<C extends Channel = Channel> {
  private channel: C | undefined;
  private opening = false;
  private retired = false;
  private whyNot: unknown = new Error('it was not reached yet');
  private readonly onConnect = (): void => void this.open();
  private firstOpened!: () => void;
  private readonly opened = new Promise<void>((resolve) => (this.firstOpened = resolve));

  private constructor(
    private readonly manager: AmqpManager,
    private readonly create: (connection: NonNullable<AmqpManager['connection']>) => Promise<C>,
    private readonly setUp: (channel: C) => Promise<void>,
  ) {
    manager.on('connect', this.onConnect);
    void this.open();
  }

  static plain(manager: AmqpManager, setUp: (channel: Channel) => Promise<void>): LastingChannel {
    return new LastingChannel(manager, (connection) => connection.createChannel(), setUp);
  }

  /** Every publish on it is confirmed. */
  static confirming(
    manager: AmqpManager,
    setUp: (channel: ConfirmChannel) => Promise<void>,
  ): LastingChannel<ConfirmChannel> {
    return new LastingChannel(manager, (connection) => connection.createConfirmChannel(), setUp);
  }

  /** Resolves when it has been open once. */
  ready(): Promise<void> {
    return this.opened;
  }

  /** @throws BrokerUnavailable while there is none */
  now(): C {
    if (!this.channel) throw new BrokerUnavailable('rabbitmq', this.whyNot);
    return this.channel;
  }

  /** Gives the channel up, with all that is unconfirmed on it; a new one takes its place. */
  renew(why: unknown): void {
    const channel = this.channel;
    this.lose(channel, why);
    void channel?.close().catch(() => undefined);
  }

  /** This channel is the last one. */
  retire(): void {
    this.retired = true;
    this.manager.off('connect', this.onConnect);
  }

  async close(): Promise<void> {
    this.retire();
    const channel = this.channel;
    this.channel = undefined;
    if (channel) await within(closeMs, channel.close(), 'it did not answer').catch(() => undefined);
  }

  private async open(): Promise<void> {
    const { connection } = this.manager;
    if (this.opening || this.channel || this.retired || !connection) return;
    this.opening = true;
    let made: C | undefined;
    try {
      // On a connection that says nothing any more no channel ever opens, and none fails to.
      made = await within(openMs, this.create(connection), 'it opened no channel');
      const channel = made;
      let closed: unknown;
      channel.on('error', (error: Error) => {
        closed = error;
      });
      channel.once('close', () => {
        closed ??= new Error('the channel was closed');
        this.lose(channel, closed);
      });
      await within(openMs, this.setUp(channel), 'it did not answer');
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

  /** Where the connection is gone as well, its coming back opens the channel. */
  private openLater(): void {
    void delay(reopenMs, undefined, { ref: false }).then(() => this.open());
  }
}
