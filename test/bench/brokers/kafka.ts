import { Kafka, logLevel, type Admin, type Producer } from 'kafkajs';
import { benchQueue } from '../drain/bench-queue';
import { batches, type BenchBroker } from './bench-broker';

// kafkajs 2 warns about the partitioner of kafkajs 1, which this project has never used.
process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';

/** kafkajs: sends batches that all replicas confirm, and reads batches with one offset commit each. */
export function connectKafka(environment: NodeJS.ProcessEnv): BenchBroker {
  const prefix = environment['BROKER_PREFIX']!;
  const topic = `${prefix}${benchQueue}`;
  const groupId = topic;
  const kafka = new Kafka({ brokers: environment['KAFKA_BROKERS']!.split(','), logLevel: logLevel.NOTHING });
  const producer = lasting(() => kafka.producer({ allowAutoTopicCreation: false }));
  const admin = lasting(() => kafka.admin());
  return {
    publish: async (messages) => {
      const connected = await producer.get();
      for (const batch of batches(messages)) {
        const toSend = batch.map(({ id, body }) => ({ key: id, value: JSON.stringify(body) }));
        await connected.send({ topic, acks: -1, messages: toSend });
      }
    },

    consume: async (_concurrency, take) => {
      const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false });
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      const partitions = (await (await admin.get()).fetchTopicOffsets(topic)).length;
      return {
        start: () =>
          void consumer.run({
            autoCommit: false,
            partitionsConsumedConcurrently: partitions,
            eachBatch: async ({ batch }) => {
              const { partition, messages } = batch;
              await take(messages.map(({ value }) => value));
              await consumer.commitOffsets([{ topic, partition, offset: String(BigInt(batch.lastOffset()) + 1n) }]);
            },
          }),
        stop: () => consumer.disconnect(),
      };
    },

    depth: async () => {
      const connected = await admin.get();
      const ends = await connected.fetchTopicOffsets(topic);
      const [group] = await connected.fetchOffsets({ groupId, topics: [topic] });
      const committed = new Map(group!.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
      return ends.reduce((sum, { partition, high }) => sum + Number(high) - Math.max(0, committed.get(partition)!), 0);
    },

    failed: () => Promise.resolve(0),

    cleanUp: async () => {
      const connected = await admin.get();
      const isOurs = (name: string) => name.startsWith(prefix);
      const topics = (await connected.listTopics()).filter(isOurs);
      if (topics.length > 0) await connected.deleteTopics({ topics });
      const groups = (await connected.listGroups()).groups.map((group) => group.groupId).filter(isOurs);
      if (groups.length > 0) await connected.deleteGroups(groups);
    },

    close: async () => {
      await Promise.all([producer.end(), admin.end()]);
    },
  };
}

/** Connects at the first use. */
function lasting<Client extends Admin | Producer>(make: () => Client) {
  let client: Promise<Client> | undefined;
  const connect = async (): Promise<Client> => {
    const made = make();
    await made.connect();
    return made;
  };
  return {
    get: (): Promise<Client> => (client ??= connect()),
    end: async (): Promise<void> => (await client)?.disconnect(),
  };
}
