/**
 * Dead letters by hand: a separate topic for messages that cannot be processed.
 *
 * A consumer group has no retry and no dead letters. A failing message blocks its partition: kafkajs fetches it again
 * and again. So the handler tries a few times. Then it writes the message to another topic, with the reason and the
 * original position, and the group continues with the next message.
 * The copy must be stored (acks -1) before the offset is committed. A crash between the two then makes a second copy.
 * In the opposite order a crash loses the message.
 * A pause between two tries blocks the partition too. For long pauses, many teams use retry topics, one for each pause.
 * The messages in them lose their order.
 *
 * By hand: deadLetter, retry
 * Expect:
 *   "fine 1" is done
 *   "poison" failed, try 1
 *   "poison" failed, try 2
 *   "poison" failed, try 3
 *   "fine 2" is done
 *   dead: "poison", because: not an order, from partition 0, offset 1
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners } from 'kafkajs';

const brokers = (process.env.KAFKA_BROKERS || 'localhost:9092').split(',');
const topic = `example-dead-letter-${randomUUID()}`;
const deadTopic = `${topic}.dead`;
const tries = 3;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 30_000).unref();

  const kafka = new Kafka({ brokers, clientId: 'example', logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({
    topics: [
      { topic, numPartitions: 1 },
      { topic: deadTopic, numPartitions: 1 },
    ],
    waitForLeaders: false,
  });
  // `waitForLeaders` throws while a broker does not know the topic yet, so the example polls instead.
  while ((await admin.listTopics()).filter((name) => name.startsWith(topic)).length < 2) await delay(20);
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic, messages: [{ value: 'fine 1' }, { value: 'poison' }, { value: 'fine 2' }] });

  const done: string[] = [];
  let failures = 0;
  function work(order: string): void {
    if (order === 'poison') {
      console.log(`"${order}" failed, try ${(failures += 1)}`);
      throw new Error('not an order');
    }
    done.push(order);
    console.log(`"${order}" is done`);
  }

  const consumer = kafka.consumer({ groupId: `${topic}-group`, maxWaitTimeInMs: 200 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message, partition, heartbeat }) => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          work(message.value!.toString());
          return;
        } catch (error) {
          if (attempt === tries) {
            const reason = (error as Error).message;
            const headers = { reason, topic, partition: `${partition}`, offset: message.offset };
            await producer.send({ topic: deadTopic, messages: [{ key: message.key, value: message.value, headers }] });
            return; // Handled: its offset will be committed.
          }
          await delay(50);
          await heartbeat(); // Otherwise the group considers this member dead.
        }
      }
    },
  });

  while (done.length < 2) await delay(20);

  const dead: string[] = [];
  const deadLetterConsumer = kafka.consumer({ groupId: `${deadTopic}-group`, maxWaitTimeInMs: 200 });
  await deadLetterConsumer.connect();
  await deadLetterConsumer.subscribe({ topics: [deadTopic], fromBeginning: true });
  await deadLetterConsumer.run({
    eachMessage: async ({ message }) => {
      const header = (name: string): string => String(message.headers?.[name]);
      dead.push(message.value!.toString());
      const place = `partition ${header('partition')}, offset ${header('offset')}`;
      console.log(`dead: "${dead.at(-1)}", because: ${header('reason')}, from ${place}`);
    },
  });
  while (dead.length < 1) await delay(20);

  await Promise.all([consumer.disconnect(), deadLetterConsumer.disconnect(), producer.disconnect()]);
  await admin.deleteGroups([`${topic}-group`, `${deadTopic}-group`]);
  await admin.deleteTopics({ topics: [topic, deadTopic] });
  await admin.disconnect();

  assert.deepEqual(done, ['fine 1', 'fine 2']);
  assert.deepEqual([failures, dead], [3, ['poison']]);
}

void main();
