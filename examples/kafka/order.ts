/**
 * Order: kept for each key, because a key has one partition, and a partition has one reader in a group.
 *
 * Messages in different partitions have no order. So the key names the thing whose messages need an order, such as a
 * customer or an order number. A coarser key makes more messages wait for each other.
 * The order is that of the log. A producer that retries after an error keeps it only when it is idempotent. Adding
 * partitions to a topic moves keys: old and new messages of a key are then in different partitions.
 *
 * Shows: orderPerKey
 * Expect:
 *   ada: 1, 2, 3, 4, 5, 6, 7, 8
 *   bob: 1, 2, 3, 4, 5, 6, 7, 8
 *   eve: 1, 2, 3, 4, 5, 6, 7, 8
 *   over all keys: not in the order of sending
 */
import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners } from 'kafkajs';

const brokers = (process.env.KAFKA_BROKERS || 'localhost:9092').split(',');
const topic = `example-order-${randomUUID()}`;
const groupId = `${topic}-group`;
const keys = ['ada', 'bob', 'eve'];

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 30_000).unref();

  const kafka = new Kafka({ brokers, clientId: 'example', logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 3 }], waitForLeaders: false });
  // `waitForLeaders` throws while a broker does not know the topic yet, so the example polls instead.
  while (!(await admin.listTopics()).includes(topic)) await delay(20);

  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const sent: string[] = [];
  for (let number = 1; number <= 8; number += 1) {
    await producer.send({ topic, messages: keys.map((key) => ({ key, value: `${number}` })) });
    sent.push(...keys.map((key) => `${key} ${number}`));
  }
  await producer.disconnect();

  const worked: string[] = [];
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    partitionsConsumedConcurrently: 3, // Partitions in parallel, the messages of each one by one.
    eachMessage: async ({ message }) => {
      await delay(randomInt(15));
      worked.push(`${message.key!.toString()} ${message.value!.toString()}`);
    },
  });
  while (worked.length < sent.length) await delay(20);

  const numbersOf = (key: string): string[] =>
    worked.filter((one) => one.startsWith(key)).map((one) => one.slice(key.length + 1));
  for (const key of keys) console.log(`${key}: ${numbersOf(key).join(', ')}`);
  console.log(`over all keys: ${worked.join() === sent.join() ? 'as sent' : 'not in the order of sending'}`);

  await consumer.disconnect();
  await admin.deleteGroups([groupId]);
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();

  for (const key of keys) assert.deepEqual(numbersOf(key), ['1', '2', '3', '4', '5', '6', '7', '8']);
}

void main();
