import { randomUUID } from 'node:crypto';
import type { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import type { Channel } from 'amqplib';
import { BrokerUnavailable } from '../../port/broker-errors';
import { withTimeout } from '../../with-timeout';
import { declareUnackedExchange, declareQueue } from './declare';
import { ReconnectingChannel } from './reconnecting-channel';
import type { RabbitmqNames } from './rabbitmq-names';

const replyQueue = 'amq.rabbitmq.reply-to';
/** A worker that does not answer within this time, in milliseconds, counts with its full prefetch. */
const answerMs = 500;

/** The time-out for one depth, in milliseconds. */
const depthMs = 3_000;

/** By queue: how many unacknowledged messages a process has. */
export type UnackedByQueue = Readonly<Record<string, number>>;

/**
 * AMQP returns how many messages are ready in a queue and how many consumers it has, but not how many messages are in
 * flight. So the counter asks all consumers through a fanout exchange, and each replies to the sender
 * (https://www.rabbitmq.com/docs/direct-reply-to).
 */
export class UnackedCounter {
  private readonly channel: ReconnectingChannel;
  private readonly asked = new Map<string, (holdings: UnackedByQueue) => void>();

  constructor(
    { managedConnection }: AmqpConnection,
    private readonly names: RabbitmqNames,
  ) {
    this.channel = ReconnectingChannel.plain(managedConnection, async (channel) => {
      await declareUnackedExchange(channel, names);
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
    await this.channel.close();
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

/**
 * Answers how many unacknowledged messages this process has. An answer is a publish: on a connection that acknowledges,
 * it would let RabbitMQ block the acknowledgements as well.
 * @param connection the connection that publishes
 */
export function answerUnackedCount(
  { managedConnection }: AmqpConnection,
  names: RabbitmqNames,
  holdings: () => UnackedByQueue,
): ReconnectingChannel {
  const answering = ReconnectingChannel.plain(managedConnection, async (channel) => {
    await declareUnackedExchange(channel, names);
    const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true });
    await channel.bindQueue(queue, names.unackedExchange, '');
    await channel.consume(
      queue,
      (question) => {
        if (!question || answering.isBlocked) return;
        const answer = Buffer.from(JSON.stringify(holdings()));
        channel.sendToQueue(String(question.properties.replyTo), answer, {
          correlationId: String(question.properties.correlationId),
        });
      },
      { noAck: true },
    );
  });
  return answering;
}
