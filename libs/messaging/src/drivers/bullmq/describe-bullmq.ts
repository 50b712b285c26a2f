import type { BrokerDescription } from '../../port/broker-description';
import { serverAt } from '../../port/broker-description';
import { subscriberQueue, type BrokerTopology } from '../../port/topology';
import type { BullmqSettings } from './bullmq-connection';

type Where = Pick<BullmqSettings, 'redisUrl' | 'databaseUrl' | 'prefix'>;

/**
 * The protocol is that of the backend. AsyncAPI has no binding for BullMQ, so an extension holds what a client needs.
 */
export function describeBullmq(
  { redisUrl, databaseUrl, prefix }: Where,
  { queues, events }: BrokerTopology,
): BrokerDescription {
  const onQueue = (queue: string) => ({
    name: `queue.${queue}`,
    address: queue,
    bindings: { 'x-bullmq': { queue, ...(redisUrl === undefined ? { schema: 'bullmq' } : { prefix }) } },
    sends: true,
    receives: true,
  });
  return {
    broker: 'bullmq',
    servers: [serverAt(redisUrl ?? databaseUrl)],
    channels: [
      ...queues.map(({ queue }) => ({
        ...onQueue(queue),
        description:
          'A BullMQ queue: the event is the data of a BullMQ job. Give that job a priority; without one it runs before all others.',
        carries: { jobsOf: queue },
      })),
      ...events.flatMap(({ kind, subscribers }) =>
        subscribers.map((subscriber) => ({
          ...onQueue(subscriberQueue(kind, subscriber)),
          description: `A BullMQ queue for the subscriber ${subscriber} only.`,
          carries: { event: kind },
        })),
      ),
    ],
  };
}
