/**
 * The consumer: batches, committed offsets, and which messages are delivered again after a crash.
 *
 * Reading removes nothing from Kafka's log. For each partition, a group stores the offset of the next message to read:
 * this is the commit. A consumer that commits after the work gets some messages twice after a crash (at least once). A
 * consumer that commits before the work loses some messages (at most once).
 * In `eachBatch` the handler resolves each offset after the work on its message, and sends heartbeats in between. A
 * member that sends no heartbeat for longer than the session time-out loses its partitions to another member.
 * There is no nack: a failing message blocks its partition until it is handled or skipped (dead-letter.ts).
 *
 * Expect:
 *   first consumer: 0, 1, 2, 3
 *   committed: the next offset is 3
 *   it ends without the commit of message 3
 *   second consumer of the same group: 3, 4, 5
 *   processed twice: 3
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners } from 'kafkajs';

const brokers = (process.env.KAFKA_BROKERS || 'localhost:9092').split(',');
const topic = `example-consumer-${randomUUID()}`;
const groupId = `${topic}-group`;
const kafka = new Kafka({ brokers, clientId: 'example', logLevel: logLevel.NOTHING });

/** Handles messages from the group's offset on, commits after each but the one at `dieAt`, and then ends. */
async function consume(until: number, dieAt?: number): Promise<number[]> {
  const worked: number[] = [];
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true }); // For a group without committed offsets.
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning, isStale }) => {
      for (const { offset } of batch.messages) {
        // The batch stays in memory while the consumer stops or loses the partition: check before each message.
        if (!isRunning() || isStale() || worked.at(-1) === until) break;
        worked.push(Number(offset));
        if (Number(offset) === dieAt) break; // Neither resolved nor committed.
        resolveOffset(offset);
        await consumer.commitOffsets([{ topic, partition: batch.partition, offset: `${Number(offset) + 1}` }]);
        await heartbeat();
      }
    },
  });
  while (worked.at(-1) !== until) await delay(20);
  await consumer.disconnect();
  return worked;
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
  await producer.send({ topic, messages: Array.from({ length: 6 }, (_, number) => ({ value: `order ${number}` })) });
  await producer.disconnect();

  const first = await consume(3, 3);
  console.log(`first consumer: ${first.join(', ')}`);
  const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] });
  const next = committed!.partitions[0]!.offset;
  console.log(`committed: the next offset is ${next}`);
  console.log('it ends without the commit of message 3');

  const second = await consume(5);
  console.log(`second consumer of the same group: ${second.join(', ')}`);
  const twice = first.filter((offset) => second.includes(offset));
  console.log(`processed twice: ${twice.join(', ')}`);

  await admin.deleteGroups([groupId]);
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();

  assert.deepEqual(first, [0, 1, 2, 3]);
  assert.deepEqual(second, [3, 4, 5]);
  assert.equal(next, '3');
  assert.deepEqual(twice, [3]);
}

void main();
