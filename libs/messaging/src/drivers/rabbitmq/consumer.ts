import type { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import type { Channel, ConsumeMessage } from 'amqplib';
import type { Subscription } from '../../port/broker-driver';
import { Acknowledgements } from './acknowledgements';
import { reasonOf } from '../../reason-of';
import { withTimeout } from '../../with-timeout';
import { ReconnectingChannel } from './reconnecting-channel';

export interface Consumption {
  readonly queue: string;
  /** How many messages RabbitMQ sends ahead of their acknowledgement. */
  readonly prefetch: number;
  readonly declare: (channel: Channel) => Promise<unknown>;
  /** When it resolves the message is acknowledged. */
  readonly handle: (message: ConsumeMessage) => Promise<void>;
}

const cancelMs = 1_000;
/** AMQP has 16 bits for it. */
const mostPrefetch = 65_535;

/** Takes the messages of one queue, on a channel of its own: an error there stops no other queue. */
export class Consumer implements Subscription {
  readonly channel: ReconnectingChannel;
  private acknowledgements: Acknowledgements | undefined;
  private stopped = false;
  private tag: string | undefined;

  constructor(
    { managedConnection }: AmqpConnection,
    private readonly consumption: Consumption,
  ) {
    this.channel = ReconnectingChannel.plain(managedConnection, (channel) => this.consume(channel));
  }

  get trouble(): string | undefined {
    const why = this.channel.whyClosed;
    return why === undefined ? undefined : reasonOf(why);
  }

  /** What RabbitMQ has sent and not seen acknowledged. */
  get unacknowledged(): number {
    return this.acknowledgements?.size ?? 0;
  }

  /** What was sent ahead and not begun goes back to the queue when the channel closes. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.channel.retire();
    try {
      if (this.tag !== undefined) await withTimeout(cancelMs, this.channel.now().cancel(this.tag), 'it did not answer');
    } catch {
      // The channel is gone, and the consumer with it.
    }
  }

  async close(): Promise<void> {
    this.acknowledgements?.flush();
    await this.channel.close();
  }

  private async consume(channel: Channel): Promise<void> {
    if (this.stopped) return;
    const { queue, prefetch, declare } = this.consumption;
    await declare(channel);
    await channel.prefetch(Math.min(prefetch, mostPrefetch));
    const acknowledgements = new Acknowledgements(channel);
    this.acknowledgements = acknowledgements;
    const { consumerTag } = await channel.consume(queue, (message) => {
      if (message) void this.work(message, acknowledgements);
      // RabbitMQ has cancelled: the queue was deleted, or moved to another node.
      else if (!this.stopped) this.channel.renew(new Error(`queue ${queue} was taken away`));
    });
    this.tag = consumerTag;
  }

  private async work(message: ConsumeMessage, acknowledgements: Acknowledgements): Promise<void> {
    acknowledgements.received(message);
    if (this.stopped) return;
    await this.consumption.handle(message);
    acknowledgements.acknowledge(message);
  }
}
