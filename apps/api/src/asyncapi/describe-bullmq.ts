import { subscriberQueue, type BrokerTopology, type BullmqSettings } from '@app/messaging';
import { serverAt, type BrokerDescription } from './broker-description';

/**
 * The protocol is that of the backend. AsyncAPI has no binding for BullMQ, so an extension holds what a client needs.
 */
export function describeBullmq(
  { redisUrl, databaseUrl, prefix }: Omit<BullmqSettings, 'leaseMs'>,
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
