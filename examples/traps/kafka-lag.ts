/**
 * Trap: kafkajs reports a lag of 0 behind an open transaction, although messages wait.
 *
 * A consumer that reads committed data (kafkajs does by default) stops at the first message of an open transaction. All
 * later messages of that partition wait, also those of other producers. `fetchTopicOffsets` returns the same position, the last
 * stable offset, and not the end of the log. So the lag that is computed from it is 0 while nothing moves. A producer
 * that dies in a transaction blocks its partitions until `transactionTimeout` (kafkajs: 60 s) is over.
 * The cure: measure the end of the log. A consumer with `readUncommitted` gets it with each batch (`highWatermark`). An
 * alert on the age of the last message that was handled sees the standstill as well, whatever its cause.
 *
 * Needs: kafka
 * Expect:
 *   10 messages behind an open transaction: the group has handled 1
 *   wrong: lag from fetchTopicOffsets: 0
 *   right: lag from the end of the log: 11
 *   after the abort: the group has handled 11
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners } from 'kafkajs';

const brokers = (process.env.KAFKA_BROKERS || 'localhost:9092').split(',');
const topic = `example-lag-${randomUUID()}`;
const groupId = `${topic}-group`;
const kafka = new Kafka({ brokers, clientId: 'example', logLevel: logLevel.NOTHING });
const createPartitioner = Partitioners.DefaultPartitioner;

/** @returns the offset after the last message of partition 0, committed or not */
async function endOfLog(): Promise<number> {
  const consumer = kafka.consumer({ groupId: `${topic}-end`, readUncommitted: true, maxWaitTimeInMs: 200 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const end = await new Promise<number>((resolve) => {
    void consumer.run({ autoCommit: false, eachBatch: async ({ batch }) => resolve(Number(batch.highWatermark)) });
  });
  await consumer.disconnect();
  return end;
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 30_000).unref();

  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: false });
  while (!(await admin.listTopics()).includes(topic)) await delay(20);

  const producer = kafka.producer({ createPartitioner });
  await producer.connect();
  await producer.send({ topic, messages: [{ value: 'before' }] });
  let handled = 0;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({ autoCommitThreshold: 1, eachMessage: async () => void (handled += 1) });
  const committed = async (): Promise<number> =>
    Number((await admin.fetchOffsets({ groupId, topics: [topic] }))[0]!.partitions[0]!.offset);
  while ((await committed()) < 1) await delay(20);

  // A transaction that stays open, and ten messages of another producer behind it.
  const transactional = kafka.producer({
    transactionalId: `${topic}-transaction`,
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner,
  });
  await transactional.connect();
  const transaction = await transactional.transaction();
  await transaction.send({ topic, messages: [{ value: 'not committed' }] });
  await producer.send({ topic, messages: Array.from({ length: 10 }, (_, number) => ({ value: `order ${number}` })) });

  // Right.
  const waiting = (await endOfLog()) - (await committed());
  // Wrong: what kafkajs calls `high` is the last stable offset.
  const [partition] = await admin.fetchTopicOffsets(topic);
  const reported = Number(partition!.high) - (await committed());
  const done = handled;
  console.log(`10 messages behind an open transaction: the group has handled ${done}`);
  console.log(`wrong: lag from fetchTopicOffsets: ${reported}`);
  console.log(`right: lag from the end of the log: ${waiting}`);

  await transaction.abort();
  while (handled < 11) await delay(20);
  console.log(`after the abort: the group has handled ${handled}`);

  await Promise.all([consumer.disconnect(), producer.disconnect(), transactional.disconnect()]);
  await admin.deleteGroups([groupId, `${topic}-end`]);
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();

  assert.deepEqual([done, reported, waiting], [1, 0, 11]);
  assert.equal(handled, 11);
}

void main();
