import { Kafka, logLevel, type EachBatchPayload, type KafkaMessage } from 'kafkajs';
import type { BrokerSettings } from '@app/messaging';
import { lagOf } from '../../../libs/messaging/src/drivers/kafka/offsets';
import { until } from '../../support/until';
import type { PlainClient } from './plain-client';

/** The same value as in our driver, so that messages of a dead worker are redelivered as soon. The default is 30 s. */
const sessionTimeout = 6_000;

export async function plainKafkajs({ KAFKA_BROKERS, BROKER_PREFIX }: BrokerSettings): Promise<PlainClient> {
  const kafka = new Kafka({ clientId: 'plain', brokers: [...KAFKA_BROKERS!], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const producer = kafka.producer();
  await Promise.all([admin.connect(), producer.connect()]);

  /** @returns the name of topic and group, when the topic is ready */
  async function topicOf(queue: string): Promise<string> {
    const topic = `${BROKER_PREFIX}${queue}`;
    await until(
      `topic ${topic} is there`,
      async () => {
        await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: false });
        return admin.fetchTopicMetadata({ topics: [topic] }).catch(() => undefined);
      },
      (metadata) => metadata?.topics[0]?.partitions.every(({ leader }) => leader >= 0) === true,
    );
    return topic;
  }

  return {
    publish: async (queue, orders) => {
      const messages = orders.map((n) => ({ value: JSON.stringify({ n }) }));
      await producer.send({ topic: await topicOf(queue), messages });
    },

    consume: async (queue, acknowledged, work) => {
      const topic = await topicOf(queue);
      const consumer = kafka.consumer({ groupId: topic, sessionTimeout });
      const handle = (partition: number, { value, offset }: KafkaMessage): Promise<void> => {
        const { n } = JSON.parse(value!.toString()) as { n: number };
        return work({ n, id: `${topic}-${partition}-${offset}` });
      };
      const eachBatch = async ({ batch }: EachBatchPayload): Promise<void> => {
        const offset = String(BigInt(batch.lastOffset()) + 1n);
        await consumer.commitOffsets([{ topic, partition: batch.partition, offset }]);
        for (const message of batch.messages) await handle(batch.partition, message);
      };
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      // Resolves when the consumer is a member of the group. With `eachMessage`, kafkajs commits at the end of a batch.
      await consumer.run(
        acknowledged === 'on receipt'
          ? { eachBatch }
          : { eachMessage: ({ partition, message }) => handle(partition, message) },
      );
      return { stop: () => consumer.disconnect() };
    },

    outstanding: async (queue) => {
      const topic = await topicOf(queue);
      // The first request about a group may come before the group has a coordinator.
      const lag = () => lagOf(admin, topic, topic).catch(() => undefined);
      return (await until(`the lag of ${topic}`, lag, (count) => count !== undefined))!;
    },

    remove: async (queue) => {
      await admin.deleteTopics({ topics: [await topicOf(queue)] });
    },

    close: async () => {
      await Promise.all([producer.disconnect(), admin.disconnect()]);
    },
  };
}
