/**
 * Trap: "acks=all, so nothing is lost": all means all in-sync replicas, and that may be one.
 *
 * A producer with acks -1 (all) gets its confirm when every replica that is in sync has the message. If the followers
 * are down, or the topic has one replica, the leader alone is "all": the message is on one disk. The topic setting
 * `min.insync.replicas` is a floor, 1 by default. On a topic with one replica a floor of 2 changes nothing: Kafka 4.3.1
 * lowers it to the number of replicas without a word.
 * kafkajs sends with -1 unless told otherwise; an idempotent producer refuses anything else.
 * The cure: three replicas, `min.insync.replicas` 2, acks -1; and a check at the start of the process, because both
 * settings belong to the topic, and the topic may have been created with others.
 *
 * Needs: kafka
 * Expect:
 *   kafkajs, idempotent, acks not set: sent
 *   kafkajs, idempotent, acks 1: refused
 *   wrong: acks -1, min.insync.replicas 1: confirmed, in sync: 1 replica
 *   wrong: acks -1, min.insync.replicas 2: confirmed, in sync: 1 replica
 *   right: a check at the start: replicas: 1, expected 3; min.insync.replicas: 1, expected 2
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigResourceTypes, Kafka, logLevel, Partitioners } from 'kafkajs';

const brokers = (process.env.KAFKA_BROKERS || 'localhost:9092').split(',');
const name = `example-acks-${randomUUID()}`;
const kafka = new Kafka({ brokers, clientId: 'example', logLevel: logLevel.NOTHING });
const admin = kafka.admin();

/** Refuses a topic on which a confirmed message may be on one disk only. */
async function checkDurability(topic: string): Promise<void> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const replicas = topics[0]!.partitions[0]!.replicas.length;
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['min.insync.replicas'] }],
  });
  const floor = Number(resources[0]!.configEntries[0]!.configValue);
  if (replicas < 3 || floor < 2) {
    throw new Error(`replicas: ${replicas}, expected 3; min.insync.replicas: ${floor}, expected 2`);
  }
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  await admin.connect();
  const topics = ['1', '2'].map((floor) => ({
    topic: `${name}-${floor}`,
    numPartitions: 1,
    replicationFactor: 1,
    configEntries: [{ name: 'min.insync.replicas', value: floor }],
  }));
  await admin.createTopics({ topics, waitForLeaders: false });
  while ((await admin.listTopics()).filter((topic) => topic.startsWith(name)).length < 2) await delay(20);

  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const messages = [{ value: 'order' }];
  const topic = `${name}-1`;
  const sent = await producer.send({ topic, messages });
  console.log(`kafkajs, idempotent, acks not set: ${sent[0]?.errorCode === 0 ? 'sent' : 'not sent'}`);
  const refused = await producer.send({ topic, messages, acks: 1 }).then(
    () => false,
    () => true,
  );
  console.log(`kafkajs, idempotent, acks 1: ${refused ? 'refused' : 'sent'}`);

  // Wrong: to rely on acks alone, or on the floor alone.
  const inSync: number[] = [];
  for (const floor of [1, 2]) {
    await producer.send({ topic: `${name}-${floor}`, messages, acks: -1 });
    const found = await admin.fetchTopicMetadata({ topics: [`${name}-${floor}`] });
    inSync.push(found.topics[0]!.partitions[0]!.isr.length);
    console.log(`wrong: acks -1, min.insync.replicas ${floor}: confirmed, in sync: ${inSync.at(-1)} replica`);
  }

  // Right: look at the topic before the first message.
  const fault = await checkDurability(topic).then(
    () => 'none',
    (error: unknown) => (error as Error).message,
  );
  console.log(`right: a check at the start: ${fault}`);

  await producer.disconnect();
  await admin.deleteTopics({ topics: topics.map((one) => one.topic) });
  await admin.disconnect();

  assert.equal(sent[0]?.errorCode, 0);
  assert.ok(refused);
  assert.deepEqual(inSync, [1, 1]);
  assert.equal(fault, 'replicas: 1, expected 3; min.insync.replicas: 1, expected 2');
}

void main();
