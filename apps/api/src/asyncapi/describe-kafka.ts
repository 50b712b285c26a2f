import { KafkaNames, type BrokerTopology } from '@app/messaging';
import type { BrokerChannel, BrokerDescription } from './broker-description';

const bindingVersion = '0.5.0';

/** Describes the topics that `createTopics` creates, and the groups that read them. */
export function describeKafka(
  { brokers, prefix }: { readonly brokers: readonly string[]; readonly prefix: string },
  { queues, events }: BrokerTopology,
): BrokerDescription {
  const names = new KafkaNames(prefix);
  const onTopic = (name: string, partitions: number, groups: readonly string[]): Omit<BrokerChannel, 'carries'> => ({
    name: `topic.${name}`,
    address: names.topic(name),
    description: 'A topic. A consumer group of your own gets every message and takes none from other groups.',
    sends: true,
    receives: groups.length > 0,
    bindings: { kafka: { topic: names.topic(name), partitions, bindingVersion } },
    receiveBindings: { kafka: { groupId: { type: 'string', enum: groups }, bindingVersion } },
  });
  return {
    broker: 'kafka',
    servers: brokers.map((host) => ({ host, protocol: 'kafka' })),
    channels: [
      ...queues.map(({ queue, partitions }) => ({
        ...onTopic(queue, partitions, [names.jobGroup(queue)]),
        carries: { jobsOf: queue },
      })),
      ...events.map(({ kind, subscribers, partitions }) => ({
        ...onTopic(
          kind,
          partitions,
          subscribers.map((subscriber) => names.subscriberGroup(kind, subscriber)),
        ),
        carries: { event: kind },
      })),
    ],
  };
}
