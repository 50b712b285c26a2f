import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type ChannelModel } from 'amqplib';
import { Redis } from 'ioredis';
import { Kafka, logLevel, type EachMessagePayload } from 'kafkajs';
import type { Broker } from '../../scripts/brokers/broker';

/** Puts and takes one message, each with a new connection of a plain client. */
interface KeptMessage {
  /** Resolves when the broker has confirmed that it keeps the message. */
  put(address: string, body: string): Promise<void>;
  take(address: string): Promise<string | undefined>;
}

const name = 'kept';

/**
 * RabbitMQ writes the names of its quorum queues to the disk 500 ms after the last change. After a SIGKILL before
 * that, the queue never works again, even for confirmed messages (seen with 3.10).
 */
const untilQueueIsKeptMs = 2_000;

export const keptMessage: Readonly<Record<Broker['name'], KeptMessage>> = {
  Redis: {
    put: (address, body) => onRedis(address, (client) => client.rpush(name, body)).then(() => undefined),
    take: (address) => onRedis(address, (client) => client.lpop(name)).then((body) => body ?? undefined),
  },
  RabbitMQ: {
    put: (address, body) =>
      onRabbitmq(address, async (connection) => {
        const channel = await connection.createConfirmChannel();
        await channel.assertQueue(name, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
        await delay(untilQueueIsKeptMs);
        channel.sendToQueue(name, Buffer.from(body), { persistent: true });
        await channel.waitForConfirms();
      }),
    take: (address) =>
      onRabbitmq(address, async (connection) => {
        const channel = await connection.createChannel();
        return new Promise((resolve, reject) => {
          channel.consume(name, (message) => resolve(message?.content.toString()), { noAck: true }).catch(reject);
          connection.once('error', reject);
        });
      }),
  },
  Kafka: {
    put: async (address, body) => {
      const client = kafkaAt(address);
      const admin = client.admin();
      await admin.connect();
      await admin.createTopics({ topics: [{ topic: name, numPartitions: 1 }], waitForLeaders: true });
      await admin.disconnect();
      const producer = client.producer();
      await producer.connect();
      await producer.send({ topic: name, acks: -1, messages: [{ value: body }] });
      await producer.disconnect();
    },
    take: async (address) => {
      const consumer = kafkaAt(address).consumer({ groupId: randomUUID(), maxWaitTimeInMs: 200 });
      await consumer.connect();
      await consumer.subscribe({ topic: name, fromBeginning: true });
      const body = await new Promise<string | undefined>((resolve, reject) => {
        const eachMessage = ({ message }: EachMessagePayload) => {
          resolve(message.value?.toString());
          return Promise.resolve();
        };
        consumer.run({ eachMessage }).catch(reject);
      });
      await consumer.disconnect();
      return body;
    },
  },
};

async function onRedis<Result>(address: string, work: (client: Redis) => Promise<Result>): Promise<Result> {
  const client = new Redis(address);
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

async function onRabbitmq<Result>(
  address: string,
  work: (connection: ChannelModel) => Promise<Result>,
): Promise<Result> {
  const connection = await connect(address);
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

function kafkaAt(address: string): Kafka {
  process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';
  return new Kafka({ brokers: address.split(','), logLevel: logLevel.ERROR });
}
