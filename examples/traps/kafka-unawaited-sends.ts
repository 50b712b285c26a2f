/**
 * Trap: sends to Kafka that are not awaited arrive in another order.
 *
 * One partition keeps the order in which the broker gets the messages. kafkajs 2.2.4 does not promise to send them in
 * the order of the calls: of calls that are not awaited the idempotent producer with one request in flight swaps the
 * last two (https://github.com/tulios/kafkajs/issues/1353). `Promise.all` is the usual way to write it.
 * The cure: await each send, or send all messages in one call, which is faster too.
 *
 * Needs: kafka
 * Expect:
 *   wrong: not awaited: 1, 2, 3, 4, 5, 6, 8, 7
 *   right: each awaited: 1, 2, 3, 4, 5, 6, 7, 8
 *   right: in one call: 1, 2, 3, 4, 5, 6, 7, 8
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners } from 'kafkajs';

const brokers = (process.env.KAFKA_BROKERS || 'localhost:9092').split(',');
const topic = `example-unawaited-${randomUUID()}`;
const groupId = `${topic}-group`;
const numbers = [1, 2, 3, 4, 5, 6, 7, 8];

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const kafka = new Kafka({ brokers, clientId: 'example', logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: false });
  while (!(await admin.listTopics()).includes(topic)) await delay(20);
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();

  // Wrong: all calls at once.
  await Promise.all(
    numbers.map((number) => producer.send({ topic, messages: [{ key: 'wrong', value: `${number}` }] })),
  );
  // Right: one after another.
  for (const number of numbers) await producer.send({ topic, messages: [{ key: 'awaited', value: `${number}` }] });
  // Right: all in one call.
  await producer.send({ topic, messages: numbers.map((number) => ({ key: 'one call', value: `${number}` })) });
  await producer.disconnect();

  const read: { key: string; value: string }[] = [];
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) =>
      void read.push({ key: message.key!.toString(), value: message.value!.toString() }),
  });
  while (read.length < 3 * numbers.length) await delay(20);
  await consumer.disconnect();
  await admin.deleteGroups([groupId]);
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();

  const orderOf = (key: string): string =>
    read
      .filter((one) => one.key === key)
      .map(({ value }) => value)
      .join(', ');
  console.log(`wrong: not awaited: ${orderOf('wrong')}`);
  console.log(`right: each awaited: ${orderOf('awaited')}`);
  console.log(`right: in one call: ${orderOf('one call')}`);

  assert.notEqual(orderOf('wrong'), numbers.join(', '));
  assert.deepEqual([orderOf('awaited'), orderOf('one call')], [numbers.join(', '), numbers.join(', ')]);
}

void main();
