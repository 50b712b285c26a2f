import { connect, type ChannelModel } from 'amqplib';
import { createPostgresBackend, Queue, withBackend } from 'bullmq';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { Pool } from 'pg';
import type { BrokerSettings } from '@app/messaging';
import type { Broker } from './system';
import { until } from './until';

type Stranger = (settings: BrokerSettings, queue: string, bodies: readonly object[]) => Promise<void>;

/**
 * Another service puts messages on one of our queues, with the client of its broker. It knows only the name of the
 * queue.
 */
export const stranger: Readonly<Record<Broker, Stranger>> = {
  bullmq: async ({ REDIS_URL, DATABASE_URL, BULLMQ_PREFIX }, name, bodies) => {
    const redis = REDIS_URL === undefined ? undefined : new Redis(REDIS_URL, { maxRetriesPerRequest: null });
    const pool = new Pool({ connectionString: DATABASE_URL, max: 2, options: '-c search_path=bullmq' });
    pool.setMaxListeners(0);
    const queue = redis
      ? new Queue(name, { connection: redis, prefix: BULLMQ_PREFIX })
      : new (withBackend(createPostgresBackend).Queue)(name, { connection: pool as never });
    for (const body of bodies) await queue.add('event', body, { priority: 2 });
    await queue.close();
    redis?.disconnect();
    await pool.end();
  },

  rabbitmq: async ({ RABBITMQ_URL, BROKER_PREFIX }, queue, bodies) => {
    const connection = await connect(RABBITMQ_URL!);
    // RabbitMQ also accepts a message to a queue that does not exist, and drops it.
    await until(
      'the queue is there',
      () => hasQueue(connection, `${BROKER_PREFIX}${queue}`),
      (isThere) => isThere,
    );
    const channel = await connection.createConfirmChannel();
    for (const body of bodies) channel.sendToQueue(`${BROKER_PREFIX}${queue}`, Buffer.from(JSON.stringify(body)));
    await channel.waitForConfirms();
    await connection.close();
  },

  kafka: async ({ KAFKA_BROKERS, BROKER_PREFIX }, queue, bodies) => {
    const producer = new Kafka({ brokers: [...KAFKA_BROKERS!], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    const messages = bodies.map((body) => ({ value: JSON.stringify(body) }));
    await producer.send({ topic: `${BROKER_PREFIX}${queue}`, messages });
    await producer.disconnect();
  },
};

async function hasQueue(connection: ChannelModel, queue: string): Promise<boolean> {
  const channel = await connection.createChannel();
  channel.on('error', () => undefined); // RabbitMQ closes the channel when the checked queue does not exist.
  return channel.checkQueue(queue).then(
    () => channel.close().then(() => true),
    () => false,
  );
}
