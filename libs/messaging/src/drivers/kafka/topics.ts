import { ConfigResourceTypes, ConfigSource, type Admin, type Kafka } from 'kafkajs';
import type { BrokerTopology } from '../../port/topology';
import type { KafkaNames } from './kafka-names';

/** kafkajs reads no codec but gzip, so Kafka stores records of any other codec uncompressed. */
const readable = { name: 'compression.type', value: 'uncompressed' };
export const isReadable = (value: string): boolean => value === 'uncompressed' || value === 'gzip';

/** Creates the missing topics; existing topics stay unchanged. */
export async function createTopics(admin: Admin, names: KafkaNames, topology: BrokerTopology): Promise<void> {
  const there = new Set(await admin.listTopics());
  const missing = topicsOf(names, topology).filter(({ topic }) => !there.has(topic));
  if (missing.length === 0) return;
  const topics = missing.map((topic) => ({ ...topic, configEntries: [readable] }));
  await admin.createTopics({ topics, waitForLeaders: true });
}

/**
 * Makes Kafka store the records of other services in a form that kafkajs reads, also in topics that are older or that
 * others created. Keeps the other settings of a topic: to alter a topic with kafkajs is to send all of its settings.
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

/** The topics of a topology, with the partitions of their definitions. */
export function topicsOf(names: KafkaNames, { queues, events }: BrokerTopology) {
  return [
    ...queues.map(({ queue, partitions }) => ({ topic: names.topic(queue), numPartitions: partitions })),
    ...events.map(({ kind, partitions }) => ({ topic: names.topic(kind), numPartitions: partitions })),
  ];
}

/** Runs `work` with an admin client of its own. */
export async function withAdmin<Result>(kafka: Kafka, work: (admin: Admin) => Promise<Result>): Promise<Result> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
