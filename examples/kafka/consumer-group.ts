/**
 * Consumer groups: the members of one group share the partitions, and every group gets all messages.
 *
 * A partition belongs to one member of a group at a time. So the number of partitions limits the number of busy
 * members: an additional member is idle until another one leaves. When members join or leave, the partitions are
 * assigned again (a rebalance). With kafkajs the whole group stops during a rebalance.
 * Two services that both need all messages use two group ids. This is Kafka's broadcast: Kafka copies no message, and
 * each group has its own offsets.
 *
 * Shows: broadcast, concurrency
 * Expect:
 *   group mailer, 3 members on 2 partitions: 1, 1, 0
 *   group audit, 1 member: 2
 *   mailer worked on 10 messages, each once
 *   audit worked on 10 messages, each once
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners, type Consumer } from 'kafkajs';

const brokers = (process.env.KAFKA_BROKERS || 'localhost:9092').split(',');
const topic = `example-consumer-group-${randomUUID()}`;
const kafka = new Kafka({ brokers, clientId: 'example', logLevel: logLevel.NOTHING });

class Member {
  /** The partitions from the last rebalance; undefined until it has joined. */
  partitions: number[] | undefined;
  readonly worked: string[] = [];
  readonly consumer: Consumer;

  constructor(readonly groupId: string) {
    this.consumer = kafka.consumer({ groupId, heartbeatInterval: 300, maxWaitTimeInMs: 200 });
    this.consumer.on(this.consumer.events.GROUP_JOIN, ({ payload }) => {
      this.partitions = payload.memberAssignment[topic] ?? [];
    });
  }

  async start(): Promise<void> {
    await this.consumer.connect();
    await this.consumer.subscribe({ topics: [topic], fromBeginning: true });
    await this.consumer.run({
      eachMessage: async ({ message }) => void this.worked.push(message.value!.toString()),
    });
  }
}

const dealt = (members: Member[]): number[] => members.flatMap(({ partitions }) => partitions ?? []).sort();
const shares = (members: Member[]): number[] => members.map(({ partitions }) => partitions?.length ?? -1).sort();

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 30_000).unref();

  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: false });
  // `waitForLeaders` throws while a broker does not know the topic yet, so the example polls instead.
  while (!(await admin.listTopics()).includes(topic)) await delay(20);

  const mailer = [1, 2, 3].map(() => new Member(`${topic}-mailer`));
  const audit = [new Member(`${topic}-audit`)];
  await Promise.all([...mailer, ...audit].map((member) => member.start()));
  while (shares(mailer).join() !== '0,1,1' || dealt(mailer).join() !== '0,1' || dealt(audit).join() !== '0,1') {
    await delay(20);
  }
  console.log(`group mailer, 3 members on 2 partitions: ${shares(mailer).reverse().join(', ')}`);
  console.log(`group audit, 1 member: ${shares(audit).join(', ')}`);

  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const orders = Array.from({ length: 10 }, (_, number) => `order ${number}`);
  await producer.send({ topic, messages: orders.map((value) => ({ value })) });
  await producer.disconnect();

  const workedBy = (members: Member[]): string[] => members.flatMap(({ worked }) => worked).sort();
  while (workedBy(mailer).length < 10 || workedBy(audit).length < 10) await delay(20);
  console.log(`mailer worked on ${workedBy(mailer).length} messages, each once`);
  console.log(`audit worked on ${workedBy(audit).length} messages, each once`);

  await Promise.all([...mailer, ...audit].map(({ consumer }) => consumer.disconnect()));
  await admin.deleteGroups([`${topic}-mailer`, `${topic}-audit`]);
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();

  assert.deepEqual(workedBy(mailer), orders);
  assert.deepEqual(workedBy(audit), orders);
}

void main();
