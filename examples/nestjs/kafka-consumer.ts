/**
 * kafkajs in a Nest provider: one malformed message ends the consumer, and the application stays up.
 *
 * kafkajs calls a handler that throws again, in place: the partition waits. When the tries are used up, the consumer
 * crashes and starts again. But kafkajs takes a SyntaxError, TypeError, RangeError or ReferenceError for a bug that no
 * retry repairs: it emits CRASH with `restart: false`, and the consumer has ended. `JSON.parse` throws a SyntaxError. No
 * promise rejects, the process lives, and the lag grows. After a restart the group meets the same message.
 * The right way: dead-letter what the message causes, and end the process after a CRASH without a restart.
 *
 * Needs: kafka
 * Expect:
 *   order 1 is handled
 *   CRASH, restart false: SyntaxError
 *   the application is up; its group has 0 members and 2 messages of lag
 *   guarded: {"number": is dead-lettered
 *   order 3 is handled
 *   guarded: the lag is 0
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Module, type OnModuleDestroy, type OnModuleInit, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Kafka, logLevel, Partitioners, type ConsumerCrashEvent, type KafkaMessage } from 'kafkajs';

const brokers = (process.env.KAFKA_BROKERS || 'localhost:9092').split(',');
const topic = `example-nest-${randomUUID()}`;
const deadTopic = `${topic}.dead`;
const groupId = `${topic}-group`;
const kafka = new Kafka({ brokers, clientId: 'example', logLevel: logLevel.NOTHING });
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });

/** As most teams write it. */
@Injectable()
class OrdersConsumer implements OnModuleInit, OnModuleDestroy {
  readonly handled: number[] = [];
  readonly consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200 });
  readonly crash = new Promise<ConsumerCrashEvent>((resolve) => this.consumer.on('consumer.crash', resolve));

  async onModuleInit(): Promise<void> {
    await this.consumer.connect();
    await this.consumer.subscribe({ topics: [topic], fromBeginning: true });
    await this.consumer.run({ eachMessage: ({ message }) => this.handle(message) }); // Resolves at once.
  }

  async onModuleDestroy(): Promise<void> {
    await this.consumer.disconnect();
  }

  async handle(message: KafkaMessage): Promise<void> {
    const { number } = JSON.parse(message.value!.toString()) as { number: number };
    console.log(`order ${number} is handled`);
    this.handled.push(number);
  }
}

@Injectable()
class GuardedOrdersConsumer extends OrdersConsumer {
  override async onModuleInit(): Promise<void> {
    this.consumer.on('consumer.crash', ({ payload }) => {
      if (!payload.restart) process.exit(1); // Its supervisor starts it again, and counts the restarts.
    });
    await super.onModuleInit();
  }

  override async handle(message: KafkaMessage): Promise<void> {
    try {
      await super.handle(message);
    } catch (error) {
      const headers = { reason: String(error), offset: message.offset };
      await producer.send({ topic: deadTopic, messages: [{ key: message.key, value: message.value, headers }] });
      console.log(`guarded: ${message.value!.toString()} is dead-lettered`);
    }
  }
}

@Module({})
class AppModule {}

const start = (consumer: Type<OrdersConsumer>) =>
  NestFactory.createApplicationContext({ module: AppModule, providers: [consumer] }, { logger: false });

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const admin = kafka.admin();
  await Promise.all([admin.connect(), producer.connect()]);
  const topics = [topic, deadTopic].map((one) => ({ topic: one, numPartitions: 1 }));
  await admin.createTopics({ topics, waitForLeaders: false });
  while ((await admin.listTopics()).filter((one) => one.startsWith(topic)).length < 2) await delay(20);
  await producer.send({ topic, messages: ['{"number":1}', '{"number":', '{"number":3}'].map((value) => ({ value })) });

  const lag = async (): Promise<number> => {
    const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] });
    return 3 - Number(committed!.partitions[0]!.offset);
  };

  const app = await start(OrdersConsumer);
  const { payload } = await app.get(OrdersConsumer).crash;
  const cause = (payload.error as Error & { cause: Error }).cause.name;
  console.log(`CRASH, restart ${payload.restart}: ${cause}`);
  const { members } = (await admin.describeGroups([groupId])).groups[0]!;
  const seen = { members: members.length, lag: await lag() };
  console.log(`the application is up; its group has ${seen.members} members and ${seen.lag} messages of lag`);
  await app.close();

  const guarded = await start(GuardedOrdersConsumer);
  const { handled } = guarded.get(GuardedOrdersConsumer);
  while (handled.length < 1) await delay(20);
  await guarded.close(); // Commits what is handled.
  const lagAtLast = await lag();
  console.log(`guarded: the lag is ${lagAtLast}`);

  await admin.deleteGroups([groupId]);
  await admin.deleteTopics({ topics: [topic, deadTopic] });
  await Promise.all([producer.disconnect(), admin.disconnect()]);

  assert.deepEqual([payload.restart, cause], [false, 'SyntaxError']);
  assert.deepEqual(seen, { members: 0, lag: 2 });
  assert.deepEqual([handled, lagAtLast], [[3], 0]);
}

void main();
