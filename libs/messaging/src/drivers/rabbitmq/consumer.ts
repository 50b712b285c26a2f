import type { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import type { Channel, ConsumeMessage } from 'amqplib';
import type { Subscription } from '../../port/consumer';
import { Acknowledgements } from './acknowledgements';
import { reasonOf } from '../../reason-of';
import { withTimeout } from '../../with-timeout';
import { ReconnectingChannel } from './reconnecting-channel';

export interface Consumption {
  readonly queue: string;
  /** How many unacknowledged messages RabbitMQ delivers at most. */
  readonly prefetch: number;
  readonly declare: (channel: Channel) => Promise<unknown>;
  /** The message is acknowledged when this resolves. */
  readonly handle: (message: ConsumeMessage) => Promise<void>;
}

const cancelMs = 1_000;
/** AMQP encodes the prefetch in 16 bits. */
const mostPrefetch = 65_535;

/** Consumes one queue on its own channel, so that an error of the channel stops no other queue. */
export class Consumer implements Subscription {
  readonly channel: ReconnectingChannel;
  private acknowledgements: Acknowledgements | undefined;
  private stopped = false;
  private tag: string | undefined;

  constructor(
    { managedConnection }: AmqpConnection,
    private readonly consumption: Consumption,
  ) {
    this.channel = new ReconnectingChannel(
      managedConnection,
      (connection) => connection.createChannel(),
      (channel) => this.consume(channel),
    );
  }

  get trouble(): string | undefined {
    const why = this.channel.whyClosed;
    return why === undefined ? undefined : reasonOf(why);
  }

  /** How many messages RabbitMQ has delivered that are not acknowledged. */
  get unacknowledged(): number {
    return this.acknowledgements?.size ?? 0;
  }

  /** RabbitMQ requeues messages that were delivered and not begun when the channel closes. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.channel.retire();
    try {
      if (this.tag !== undefined) await withTimeout(cancelMs, this.channel.now().cancel(this.tag), 'it did not answer');
    } catch {
      // The channel is closed, blocked or silent. RabbitMQ ends the consumer at the latest when the channel closes.
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
      // RabbitMQ has cancelled the consumer: the queue was deleted, or moved to another node.
      else if (!this.stopped) this.channel.renew(new Error(`queue ${queue} was deleted or moved`));
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
