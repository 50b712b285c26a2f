import { randomUUID } from 'node:crypto';
import type { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import type { Channel } from 'amqplib';
import { BrokerUnavailable } from '../../port/broker-errors';
import { withTimeout } from '../../with-timeout';
import { declareUnackedExchange, declareQueue } from './declare';
import { ReconnectingChannel } from './reconnecting-channel';
import type { RabbitmqNames } from './rabbitmq-names';

const replyQueue = 'amq.rabbitmq.reply-to';
/** A worker that has not answered by then counts as one whose hands are full. */
const answerMs = 500;

/** From the question for a depth until its answer. */
const depthMs = 3_000;

/** By queue: how many messages a process has in hand. */
export type UnackedByQueue = Readonly<Record<string, number>>;

/**
 * AMQP tells how many messages are ready in a queue and how many consumers it has, and not how many messages those
 * have in hand. So they are asked: a fanout to all of them, each of which replies to whoever asked
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
   * Declares the queue on the way: to ask for one that is not there would close the channel.
   * @param prefetch what a consumer has in hand at most
   * @throws BrokerUnavailable within seconds
   */
  async depth(queue: string, prefetch: number): Promise<number> {
    const channel = this.channel.now();
    try {
      return await withTimeout(depthMs, this.count(channel, queue, prefetch), `it did not answer within ${depthMs} ms`);
    } catch (error) {
      // What waits for an answer on this channel would be kept for ever.
      this.channel.renew(error);
      throw new BrokerUnavailable('rabbitmq', error);
    }
  }

  private async count(channel: Channel, queue: string, prefetch: number): Promise<number> {
    const { messageCount, consumerCount } = await declareQueue(channel, this.names, queue);
    const inHand = await this.ask(channel, this.names.queue(queue), consumerCount);
    const silent = consumerCount - inHand.length;
    return messageCount + inHand.reduce((sum, count) => sum + count, 0) + silent * prefetch;
  }

  async close(): Promise<void> {
    await this.channel.close();
  }

  /** @returns what those that answered have of the queue in hand */
  private async ask(channel: Channel, queue: string, consumers: number): Promise<number[]> {
    const answers: number[] = [];
    if (consumers === 0) return answers;
    const correlationId = randomUUID();
    const allAnswered = new Promise<void>((resolve) => {
      this.asked.set(correlationId, (holdings) => {
        const inHand = holdings[queue];
        if (inHand !== undefined && answers.push(inHand) === consumers) resolve();
      });
    });
    channel.publish(this.names.census, '', Buffer.alloc(0), { replyTo: replyQueue, correlationId });
    await withTimeout(answerMs, allAnswered, 'not all have answered').catch(() => undefined);
    this.asked.delete(correlationId);
    return answers;
  }
}

/**
 * Answers what this process has in hand. An answer is a publish: on a connection that acknowledges, it would have
 * RabbitMQ block the acknowledgements as well.
 * @param connection the one that publishes
 */
export function answerUnackedCount(
  { managedConnection }: AmqpConnection,
  names: RabbitmqNames,
  holdings: () => UnackedByQueue,
): ReconnectingChannel {
  const answering = ReconnectingChannel.plain(managedConnection, async (channel) => {
    await declareUnackedExchange(channel, names);
    const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true });
    await channel.bindQueue(queue, names.census, '');
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
