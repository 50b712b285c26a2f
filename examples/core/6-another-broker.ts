/**
 * Another broker: the same job over the memory driver, BullMQ and RabbitMQ.
 *
 * Only the connection changes. Definition, handler, retry and result are the same, because they are above the driver: a
 * broker carries a message with the id of the job, and the ledger has everything else. So it may lose the message, or
 * deliver it twice.
 * BullMQ runs on PostgreSQL here, with no further server. RabbitMQ is used when `RABBITMQ_URL` is set.
 *
 * Expect:
 *   memory: completed in attempt 2, retried by the core
 *   bullmq: completed in attempt 2, retried by the core
 *   rabbitmq: …
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import { connect } from 'amqplib';
import { z } from 'zod';
import { defineJob, fixed, type BrokerName } from '@app/contracts';
import { BullmqDriver, BullmqDriverModule, done, RabbitmqNames, retry } from '@app/messaging';
import { RabbitmqDriver } from '@app/messaging/rabbitmq';
import { onJob, runCore, type CoreOptions } from '@app/testing';

type Connect = CoreOptions['connect'];

const greet = defineJob({
  kind: 'greeting.send',
  version: 1,
  queue: 'greeting',
  broker: 'bullmq', // A preference: the first configured broker carries the job when this one is not configured.
  payload: z.strictObject({ name: z.string() }),
  result: z.strictObject({ text: z.string() }),
  retry: fixed({ attempts: 3, delay: '50ms' }),
  timeout: '10s',
  concurrency: 5,
});

const databaseUrl = process.env.DATABASE_URL!;
const rabbitmqUrl = process.env.RABBITMQ_URL;
const prefix = `example-${randomUUID()}.`; // Separates two systems on one broker.

/** BullMQ's module for Nest creates its queues and workers; it is the same driver as in the apps. */
const overBullmq: Connect = async (topology, use) => {
  const settings = { databaseUrl, redisUrl: undefined, prefix, leaseMs: 2_000 };
  const module = BullmqDriverModule.forRoot(settings, 'example', topology, use);
  return (await NestFactory.createApplicationContext(module, { logger: false })).get(BullmqDriver);
};

const overRabbitmq = (url: string): Connect => {
  return (topology) => RabbitmqDriver.connect({ url, prefix }, 'example', topology);
};

/** In an app they stay: they are durable. */
async function deleteQueues(url: string): Promise<void> {
  const { jobs, deadLetters, unackedExchange } = new RabbitmqNames(prefix);
  const connection = await connect(url);
  const channel = await connection.createChannel();
  for (const queue of [`${prefix}${greet.queue}`, deadLetters]) await channel.deleteQueue(queue);
  for (const exchange of [jobs, deadLetters, unackedExchange]) await channel.deleteExchange(exchange);
  await connection.close();
}

async function greetOver(broker: BrokerName, connectTo?: Connect): Promise<void> {
  const core = await runCore({
    databaseUrl,
    ...(connectTo && { connect: connectTo }),
    jobs: [
      onJob(greet, async ({ payload, attempt }) =>
        attempt === 1 ? retry('too early') : done({ text: `Hello, ${payload.name}!` }),
      ),
    ],
  });
  const job = await core.ended(await core.enqueue(greet, { name: 'Ada' }));
  console.log(`${broker}: ${job.state} in attempt ${job.attempt}, retried by the core`);
  await core.close();

  assert.deepEqual([job.broker, job.state, job.attempt], [broker, 'completed', 2]);
  assert.deepEqual(job.result, { text: 'Hello, Ada!' });
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  await greetOver('memory');
  await greetOver('bullmq', overBullmq);
  if (rabbitmqUrl) {
    await greetOver('rabbitmq', overRabbitmq(rabbitmqUrl));
    await deleteQueues(rabbitmqUrl);
  } else {
    console.log('rabbitmq: not tried, RABBITMQ_URL is not set');
  }
}

void main();
