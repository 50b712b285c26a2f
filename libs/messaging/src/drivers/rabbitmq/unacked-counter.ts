import { randomUUID } from 'node:crypto';
import type { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import type { Channel } from 'amqplib';
import { BrokerUnavailable } from '../../port/broker-errors';
import { withTimeout } from '../../with-timeout';
import { declareQueue } from './declare';
import { ReconnectingChannel } from './reconnecting-channel';
import type { RabbitmqNames } from './rabbitmq-names';

const replyQueue = 'amq.rabbitmq.reply-to';
/** A worker that does not answer within this time, in milliseconds, counts with its full prefetch. */
const answerMs = 500;

/** The time-out for one depth, in milliseconds. */
const depthMs = 3_000;

/** By queue: how many unacknowledged messages a process has. */
type UnackedByQueue = Readonly<Record<string, number>>;

/**
 * AMQP returns how many messages are ready in a queue and how many consumers it has, but not how many messages are in
 * flight. So the counter asks all consumers through a fanout exchange, and each replies to the sender
 * (https://www.rabbitmq.com/docs/direct-reply-to).
 */
export class UnackedCounter {
  private readonly channel: ReconnectingChannel;
  private answering: ReconnectingChannel | undefined;
  private readonly asked = new Map<string, (holdings: UnackedByQueue) => void>();

  /**
   * @param connection the connection that publishes. Questions and answers are publishes: on a connection that
   *   acknowledges, they would let RabbitMQ block the acknowledgements as well
   */
  constructor(
    private readonly connection: AmqpConnection,
    private readonly names: RabbitmqNames,
  ) {
    this.channel = this.open(async (channel) => {
      await channel.consume(
        replyQueue,
        (reply) => {
          if (!reply) return;
          this.asked.get(String(reply.properties.correlationId))?.(
            JSON.parse(reply.content.toString()) as UnackedByQueue,
          );
        },
        { noAck: true },
      );
    });
  }

  /** Answers from now on how many unacknowledged messages this process has. Later calls change nothing. */
  answer(holdings: () => UnackedByQueue): void {
    this.answering ??= this.open(async (channel) => {
      const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true });
      await channel.bindQueue(queue, this.names.unackedExchange, '');
      await channel.consume(
        queue,
        (question) => {
          if (!question || this.answering?.isBlocked) return;
          const answer = Buffer.from(JSON.stringify(holdings()));
          channel.sendToQueue(String(question.properties.replyTo), answer, {
            correlationId: String(question.properties.correlationId),
          });
        },
        { noAck: true },
      );
    });
  }

  /**
   * Declares the queue first: asking for a missing queue would close the channel.
   * @param prefetch how many unacknowledged messages a consumer has at most
   * @returns messages that are ready or in flight
   * @throws BrokerUnavailable after 3 s at most
   */
  async depth(queue: string, prefetch: number): Promise<number> {
    const channel = this.channel.now();
    try {
      return await withTimeout(depthMs, this.count(channel, queue, prefetch), `it did not answer within ${depthMs} ms`);
    } catch (error) {
      // A pending answer on this channel would be kept for ever.
      this.channel.renew(error);
      throw new BrokerUnavailable('rabbitmq', error);
    }
  }

  private async count(channel: Channel, queue: string, prefetch: number): Promise<number> {
    const { messageCount, consumerCount } = await declareQueue(channel, this.names, queue);
    const unacked = await this.ask(channel, this.names.queue(queue), consumerCount);
    const silent = consumerCount - unacked.length;
    return messageCount + unacked.reduce((sum, count) => sum + count, 0) + silent * prefetch;
  }

  async close(): Promise<void> {
    await Promise.all([this.channel.close(), this.answering?.close()]);
  }

  private open(consume: (channel: Channel) => Promise<void>): ReconnectingChannel {
    return new ReconnectingChannel(
      this.connection.managedConnection,
      (connection) => connection.createChannel(),
      async (channel) => {
        await channel.assertExchange(this.names.unackedExchange, 'fanout', { durable: false });
        await consume(channel);
      },
    );
  }

  /** @returns the unacknowledged messages of the queue, one number per consumer that answered */
  private async ask(channel: Channel, queue: string, consumers: number): Promise<number[]> {
    const answers: number[] = [];
    if (consumers === 0) return answers;
    const correlationId = randomUUID();
    const allAnswered = new Promise<void>((resolve) => {
      this.asked.set(correlationId, (holdings) => {
        const unacked = holdings[queue];
        if (unacked !== undefined && answers.push(unacked) === consumers) resolve();
      });
    });
    channel.publish(this.names.unackedExchange, '', Buffer.alloc(0), { replyTo: replyQueue, correlationId });
    await withTimeout(answerMs, allAnswered, 'not all have answered').catch(() => undefined);
    this.asked.delete(correlationId);
    return answers;
  }
}
