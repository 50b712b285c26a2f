import { ConfigResourceTypes } from 'kafkajs';
import type { BrokerTopology } from '@app/messaging';
import { connectKafka, type KafkaSettings } from '../../libs/messaging/src/drivers/kafka/kafka-connection';
import { KafkaNames } from '../../libs/messaging/src/drivers/kafka/kafka-names';
import { isReadable, topicsOf, withAdmin } from '../../libs/messaging/src/drivers/kafka/topics';
import { finding, unreachable, type Finding } from './finding';

interface Topic {
  readonly name: string;
  readonly partitions: number;
  readonly wanted: number;
  readonly compression: string;
}

/** Creates nothing: a topic that does not exist yet is made by the relay. */
export async function* examineKafka(settings: KafkaSettings, topology: BrokerTopology): AsyncGenerator<Finding> {
  let brokers: number;
  let topics: readonly Topic[];
  try {
    [brokers, topics] = await look(settings, topology);
  } catch (error) {
    yield unreachable('KAFKA_BROKERS', error);
    return;
  }
  yield finding('it can be reached', `${brokers} broker${brokers === 1 ? '' : 's'}`);
  const few = topics.filter(({ partitions, wanted }) => partitions < wanted);
  yield finding(
    'its topics have the partitions of their definitions',
    few.map(({ name, partitions, wanted }) => `${name}: ${partitions} of ${wanted}`).join('; ') ||
      `${topics.length} topics have`,
    few.length > 0 && {
      why: 'a partition has one worker at a time, so the other workers of the queue get nothing',
      proceed: 'kafka-topics.sh --alter --partitions; order per key holds again once the older messages are handled',
    },
  );
  const unreadable = topics.filter(({ compression }) => !isReadable(compression));
  yield finding(
    'its topics are compressed in a way that kafkajs can read',
    unreadable.map(({ name, compression }) => `${name}: ${compression}`).join('; ') || 'they are',
    unreadable.length > 0 && {
      why: 'kafkajs 2 reads gzip only; a record in another compression becomes a dead letter',
      proceed: 'start a worker or the relay, which set compression.type to uncompressed, or allow them to alter topics',
    },
  );
}

function look(settings: KafkaSettings, topology: BrokerTopology): Promise<[number, Topic[]]> {
  return withAdmin(connectKafka(settings, 'doctor'), async (admin) => {
    const { brokers } = await admin.describeCluster();
    const there = new Set(await admin.listTopics());
    const wanted = topicsOf(new KafkaNames(settings.prefix), topology).filter(({ topic }) => there.has(topic));
    if (wanted.length === 0) return [brokers.length, []];
    const { topics } = await admin.fetchTopicMetadata({ topics: wanted.map(({ topic }) => topic) });
    const resources = wanted.map(({ topic }) => ({
      type: ConfigResourceTypes.TOPIC,
      name: topic,
      configNames: ['compression.type'],
    }));
    const configs = (await admin.describeConfigs({ resources, includeSynonyms: false })).resources;
    return [
      brokers.length,
      wanted.map(({ topic: name, numPartitions }) => ({
        name,
        wanted: numPartitions,
        partitions: topics.find((topic) => topic.name === name)!.partitions.length,
        compression: configs.find(({ resourceName }) => resourceName === name)!.configEntries[0]!.configValue,
      })),
    ];
  });
}
