import { ConfigResourceTypes, ConfigSource, type Admin, type Kafka } from 'kafkajs';
import { subscriberQueue, type BrokerTopology } from '../../port/topology';

/** What things are called on a Kafka, all under the prefix of their system. */
export class KafkaNames {
  constructor(private readonly prefix: string) {}

  /** Jobs of a queue, or events of a kind. */
  topic(name: string): string {
    return `${this.prefix}${name}`;
  }

  /** All workers of a queue are one group: each message comes to one of them. */
  jobGroup(queue: string): string {
    return `${this.prefix}${queue}`;
  }

  /** Each subscriber is a group: each event comes to each of them. */
  subscriberGroup(event: string, subscriber: string): string {
    // A group's name has no @ in some tools, a subscriber's may: it says which time it began anew.
    return `${this.prefix}${subscriberQueue(event, subscriber)}`.replace('@', '.');
  }
}

/** kafkajs reads no other codec than gzip: Kafka stores what comes in another one without any. */
const readable = { name: 'compression.type', value: 'uncompressed' };
const isReadable = (value: string): boolean => value === 'uncompressed' || value === 'gzip';

/** Makes the topics that are missing; those that are there stay as they are. */
export async function createTopics(admin: Admin, names: KafkaNames, topology: BrokerTopology): Promise<void> {
  const there = new Set(await admin.listTopics());
  const missing = topicsOf(names, topology).filter(({ topic }) => !there.has(topic));
  if (missing.length === 0) return;
  const topics = missing.map((topic) => ({ ...topic, configEntries: [readable] }));
  await admin.createTopics({ topics, waitForLeaders: true });
}

/**
 * Has Kafka store what others send in a form that can be read here, also in topics that are older than this or were
 * made by others. Their other settings stay: to alter a topic with kafkajs is to give all that is set on it.
 */
export async function keepTopicsReadable(admin: Admin, names: KafkaNames, topology: BrokerTopology): Promise<void> {
  const topics = topicsOf(names, topology).map(({ topic }) => ({ type: ConfigResourceTypes.TOPIC, name: topic }));
  if (topics.length === 0) return;
  const { resources } = await admin.describeConfigs({ resources: topics, includeSynonyms: false });
  const unreadable = resources.flatMap(({ resourceName, configEntries }) => {
    const { configValue = '' } = configEntries.find(({ configName }) => configName === readable.name) ?? {};
    if (isReadable(configValue)) return [];
    const kept = configEntries
      .filter(
        ({ configName, configSource }) => configSource === ConfigSource.TOPIC_CONFIG && configName !== readable.name,
      )
      .map(({ configName, configValue: value }) => ({ name: configName, value }));
    return [{ type: ConfigResourceTypes.TOPIC, name: resourceName, configEntries: [...kept, readable] }];
  });
  if (unreadable.length > 0) await admin.alterConfigs({ validateOnly: false, resources: unreadable });
}

function topicsOf(names: KafkaNames, { queues, events }: BrokerTopology) {
  return [
    ...queues.map(({ queue, partitions }) => ({ topic: names.topic(queue), numPartitions: partitions })),
    ...events.map(({ kind, partitions }) => ({ topic: names.topic(kind), numPartitions: partitions })),
  ];
}

/** Does something with an admin client of its own. */
export async function withAdmin<Result>(kafka: Kafka, work: (admin: Admin) => Promise<Result>): Promise<Result> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
