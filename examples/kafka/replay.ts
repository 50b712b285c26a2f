/**
 * Replay: Kafka keeps messages after they are read, and a group can read them again.
 *
 * Kafka keeps messages until their retention time has passed, whether they are read or not. There are two ways to read
 * them again: a new group that starts from the beginning, and a group that seeks to an offset or to the first offset
 * after a moment. `admin.setOffsets` moves a group from outside, while the group has no running members.
 * A replay repeats the work and its effects. So the handlers must be idempotent, or the replay goes to a service
 * without external effects.
 *
 * Shows: replay
 * Expect:
 *   group one: early 1, early 2, late 1, late 2
 *   group one, started again: nothing new
 *   a new group, from the beginning: early 1, early 2, late 1, late 2
 *   group one, set back to a moment: late 1, late 2
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners, type SeekEntry } from 'kafkajs';

const brokers = (process.env.KAFKA_BROKERS || 'localhost:9092').split(',');
const topic = `example-replay-${randomUUID()}`;
const [one, two] = [`${topic}-one`, `${topic}-two`];
const kafka = new Kafka({ brokers, clientId: 'example', logLevel: logLevel.NOTHING });

/** Reads as this group until it has the expected number of messages; with 0, until it has fetched and found nothing. */
async function read(groupId: string, expected: number, from: SeekEntry[] = []): Promise<string> {
  const got: string[] = [];
  let looks = 0;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  consumer.on(consumer.events.FETCH, () => (looks += 1));
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => void got.push(message.value!.toString()) });
  for (const { partition, offset } of from) consumer.seek({ topic, partition, offset }); // Only after `run`.
  while (got.length < expected || looks < 3) await delay(20);
  await consumer.disconnect(); // Commits what was read.
  return got.join(', ') || 'nothing new';
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 30_000).unref();

  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: false });
  // `waitForLeaders` throws while a broker does not know the topic yet, so the example polls instead.
  while (!(await admin.listTopics()).includes(topic)) await delay(20);
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic, messages: [{ value: 'early 1' }, { value: 'early 2' }] });
  await delay(50);
  const moment = Date.now();
  await producer.send({ topic, messages: [{ value: 'late 1' }, { value: 'late 2' }] });
  await producer.disconnect();

  const first = await read(one, 4);
  console.log(`group one: ${first}`);
  const again = await read(one, 0);
  console.log(`group one, started again: ${again}`);
  const fresh = await read(two, 4);
  console.log(`a new group, from the beginning: ${fresh}`);

  const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, moment); // First offsets since then, by partition.
  const since = await read(one, 2, offsets);
  console.log(`group one, set back to a moment: ${since}`);

  await admin.deleteGroups([one, two]);
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();

  assert.equal(first, 'early 1, early 2, late 1, late 2');
  assert.equal(again, 'nothing new');
  assert.equal(fresh, first);
  assert.equal(since, 'late 1, late 2');
}

void main();
