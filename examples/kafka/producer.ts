/**
 * The producer: the key chooses the partition, and `acks` chooses which replicas must confirm.
 *
 * A topic is split into partitions. Each is an append-only log, and a message's position in it is its offset. Messages
 * of one key go to one partition, by a hash of the key; messages without a key are spread. Adding partitions later
 * moves keys to other partitions.
 * `acks: -1` (the default): all in-sync replicas have a confirmed message. `1`: the leader has it, and loses it if it
 * fails before another replica has it. `0`: no confirmation and no offset.
 * An idempotent producer numbers its messages, so that a message that is sent again after a lost answer is stored once.
 * This covers only the path to the broker. A consumer may still get a message twice.
 *
 * Expect:
 *   ada is always in one partition
 *   bob is always in one partition
 *   without a key: spread over 3 partitions
 *   acks -1: stored, the offset is known
 *   acks 0: not confirmed, the offset is unknown
 *   stored in the topic: 27 messages
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners } from 'kafkajs';

const brokers = (process.env.KAFKA_BROKERS || 'localhost:9092').split(',');
const topic = `example-producer-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const kafka = new Kafka({ brokers, clientId: 'example', logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 3 }], waitForLeaders: false });
  // `waitForLeaders` throws while a broker does not know the topic yet, so the example polls instead.
  while (!(await admin.listTopics()).includes(topic)) await delay(20);

  // kafkajs 2 warns when no partitioner is named: its default differs from that of version 1.
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1, // Otherwise a retry may be stored behind a later message.
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();

  const partitionsOf: Record<string, Set<number>> = { ada: new Set(), bob: new Set() };
  for (let number = 1; number <= 5; number += 1) {
    for (const key of ['ada', 'bob']) {
      const [stored] = await producer.send({ topic, messages: [{ key, value: `${key} ${number}` }] });
      partitionsOf[key]!.add(stored!.partition);
    }
  }
  for (const [key, partitions] of Object.entries(partitionsOf)) {
    console.log(`${key} is always in ${partitions.size === 1 ? 'one partition' : 'several partitions'}`);
  }

  const keyless = await producer.send({ topic, messages: Array.from({ length: 15 }, (_, i) => ({ value: `${i}` })) });
  console.log(`without a key: spread over ${keyless.length} partitions`);

  const [sure] = await producer.send({ topic, acks: -1, messages: [{ key: 'eve', value: 'hello' }] });
  console.log(`acks -1: stored, the offset is ${sure?.baseOffset === undefined ? 'unknown' : 'known'}`);
  await producer.disconnect();

  // An idempotent producer refuses anything but acks -1.
  const careless = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await careless.connect();
  const answer = await careless.send({ topic, acks: 0, messages: [{ key: 'eve', value: 'hello again' }] });
  console.log(`acks 0: ${answer.length === 0 ? 'not confirmed, the offset is unknown' : 'confirmed'}`);
  await careless.disconnect();

  let stored = 0;
  while (stored < 27) {
    await delay(20); // Unconfirmed messages may still be in flight.
    const offsets = await admin.fetchTopicOffsets(topic);
    stored = offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  }
  console.log(`stored in the topic: ${stored} messages`);
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();

  for (const partitions of Object.values(partitionsOf)) assert.equal(partitions.size, 1);
  assert.equal(keyless.length, 3);
  assert.equal(sure?.errorCode, 0);
  assert.equal(answer.length, 0);
  assert.equal(stored, 27);
}

void main();
