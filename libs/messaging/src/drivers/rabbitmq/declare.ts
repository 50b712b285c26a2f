import type { Channel, Options, Replies } from 'amqplib';
import type { EventTopology } from '../../port/topology';
import type { RabbitmqNames } from './rabbitmq-names';

/**
 * After this many deliveries without an acknowledgement RabbitMQ dead-letters a message; the driver then sends it back
 * to its queue. The argument of an existing queue cannot be changed.
 */
const deliveryLimit = 20;

/** Replicated when there are several nodes, and always on disk (https://www.rabbitmq.com/docs/quorum-queues). */
const quorum = (more: Record<string, unknown> = {}): Options.AssertQueue => ({
  durable: true,
  arguments: { 'x-queue-type': 'quorum', ...more },
});

/** @returns how many messages are ready in the queue, and how many consumers it has */
export async function declareQueue(
  channel: Channel,
  names: RabbitmqNames,
  queue: string,
): Promise<Replies.AssertQueue> {
  await declareDeadLetters(channel, names);
  await channel.assertExchange(names.jobs, 'direct', { durable: true });
  const found = await channel.assertQueue(names.queue(queue), queueOptions(names));
  await channel.bindQueue(names.queue(queue), names.jobs, queue);
  return found;
}

/** Declares the exchanges of a kind of event, and the queue of each subscriber. */
export async function declareEvent(
  channel: Channel,
  names: RabbitmqNames,
  { kind, subscribers }: Pick<EventTopology, 'kind' | 'subscribers'>,
): Promise<void> {
  await declareDeadLetters(channel, names);
  await channel.assertExchange(names.events, 'topic', { durable: true });
  await channel.assertExchange(names.event(kind), 'fanout', { durable: true });
  await channel.bindExchange(names.event(kind), names.events, kind);
  for (const subscriber of subscribers) {
    await channel.assertQueue(names.subscriber(kind, subscriber), queueOptions(names));
    await channel.bindQueue(names.subscriber(kind, subscriber), names.event(kind), '');
  }
}

/** Of all processes that consume this queue, RabbitMQ delivers to one at a time. */
export async function declareDeadLetters(channel: Channel, { deadLetters }: RabbitmqNames): Promise<void> {
  await channel.assertExchange(deadLetters, 'fanout', { durable: true });
  await channel.assertQueue(deadLetters, quorum({ 'x-single-active-consumer': true }));
  await channel.bindQueue(deadLetters, deadLetters, '');
}

/** The options of each queue with messages for workers. */
export function queueOptions({ deadLetters }: RabbitmqNames): Options.AssertQueue {
  return quorum({ 'x-delivery-limit': deliveryLimit, 'x-dead-letter-exchange': deadLetters });
}
