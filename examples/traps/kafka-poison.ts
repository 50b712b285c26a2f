/**
 * Trap: a Kafka handler that throws blocks its partition: no message behind the bad one is handled.
 *
 * Kafka has no nack. A group stores one number for each partition, the next offset to read, so it cannot skip one
 * message and remember it. kafkajs retries the handler a few times, then restarts the consumer, which reads the same
 * message again, without an end. The lag grows, and the process looks healthy.
 * The cure: the handler catches. It writes the message that it cannot handle to another topic, and returns only when
 * that copy is stored. kafka/dead-letter.ts adds a limited number of tries.
 *
 * Needs: kafka
 * Expect:
 *   wrong: the malformed message was read … times, and 0 messages behind it were handled
 *   wrong: the next offset to read is 1 of 3
 *   right: handled: order 2
 *   right: in the dead-letter topic: 1 message, and the next offset to read is 3 of 3
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners, type Consumer, type KafkaMessage } from 'kafkajs';

const brokers = (process.env.KAFKA_BROKERS || 'localhost:9092').split(',');
const topic = `example-poison-${randomUUID()}`;
const deadTopic = `${topic}.dead`;
const groupId = `${topic}-group`;
const kafka = new Kafka({ brokers, clientId: 'example', logLevel: logLevel.NOTHING });

/** 2 retries, then a restart of the consumer, as long as `restart` says so. The defaults: 5 retries, and always. */
function newConsumer(restart: () => boolean): Consumer {
  const retry = { retries: 2, initialRetryTime: 50, maxRetryTime: 100, restartOnFailure: async () => restart() };
  return kafka.consumer({ groupId, maxWaitTimeInMs: 200, retry });
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 30_000).unref();

  const admin = kafka.admin();
  await admin.connect();
  const topics = [topic, deadTopic].map((one) => ({ topic: one, numPartitions: 1 }));
  await admin.createTopics({ topics, waitForLeaders: false });
  while ((await admin.listTopics()).filter((one) => one.startsWith(topic)).length < 2) await delay(20);
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic, messages: ['order 1', 'malformed', 'order 2'].map((value) => ({ value })) });
  const nextOffset = async (): Promise<string> =>
    (await admin.fetchOffsets({ groupId, topics: [topic] }))[0]!.partitions[0]!.offset;

  const handled: string[] = [];
  function handle(message: KafkaMessage): void {
    const order = message.value!.toString();
    if (order === 'malformed') throw new Error('not an order');
    handled.push(order);
  }

  // Wrong: the handler lets the error out.
  let reads = 0;
  const careless = newConsumer(() => reads < 6); // It would go on for ever.
  const gaveUp = new Promise<void>((resolve) => {
    careless.on(careless.events.CRASH, ({ payload }) => (payload.restart ? undefined : resolve()));
  });
  await careless.connect();
  await careless.subscribe({ topics: [topic], fromBeginning: true });
  await careless.run({
    eachMessage: async ({ message }) => {
      if (message.offset === '1') reads += 1;
      handle(message);
    },
  });
  await gaveUp;
  const behind = handled.filter((order) => order === 'order 2').length;
  console.log(`wrong: the malformed message was read ${reads} times, and ${behind} messages behind it were handled`);
  const stuck = await nextOffset();
  console.log(`wrong: the next offset to read is ${stuck} of 3`);

  // Right: the handler decides. What it cannot handle is stored elsewhere, and the partition moves on.
  handled.length = 0;
  const careful = newConsumer(() => true);
  await careful.connect();
  await careful.subscribe({ topics: [topic], fromBeginning: true });
  await careful.run({
    eachMessage: async ({ message, partition }) => {
      try {
        handle(message);
      } catch (error) {
        const headers = { reason: (error as Error).message, from: `${topic}/${partition}/${message.offset}` };
        await producer.send({ topic: deadTopic, messages: [{ key: message.key, value: message.value, headers }] });
      }
    },
  });
  while (!handled.includes('order 2')) await delay(20);
  await careful.disconnect(); // Commits.
  console.log(`right: handled: ${handled.join(', ')}`);
  const [dead] = await admin.fetchTopicOffsets(deadTopic);
  const moved = await nextOffset();
  console.log(`right: in the dead-letter topic: ${dead!.high} message, and the next offset to read is ${moved} of 3`);

  await producer.disconnect();
  await admin.deleteGroups([groupId]);
  await admin.deleteTopics({ topics: [topic, deadTopic] });
  await admin.disconnect();

  assert.deepEqual([behind, stuck], [0, '1']);
  assert.deepEqual([handled, dead!.high, moved], [['order 2'], '1', '3']);
}

void main();
