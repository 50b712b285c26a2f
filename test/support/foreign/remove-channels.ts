import { connect } from 'amqplib';
import type { BrokerSettings } from '@app/messaging';
import type { BrokerDescription } from '../../../apps/api/src/asyncapi/broker-description';
import { plainKafka } from './with-kafkajs';

/** Removes what a system under test has created on shared brokers. */
export async function removeChannels(
  { RABBITMQ_URL, KAFKA_BROKERS, BROKER_PREFIX }: BrokerSettings,
  brokers: readonly BrokerDescription[],
): Promise<void> {
  const places = brokers.flatMap(({ channels }) => channels.map(({ bindings }) => bindings as any));
  if (RABBITMQ_URL !== undefined) {
    const connection = await connect(RABBITMQ_URL);
    const channel = await connection.createChannel();
    const queues = places.flatMap(({ amqp }) => (amqp?.queue ? [amqp.queue.name] : []));
    for (const queue of [...queues, `${BROKER_PREFIX}dead-letters`]) await channel.deleteQueue(queue);
    const exchanges = new Set(places.flatMap(({ amqp }) => (amqp?.exchange ? [amqp.exchange.name] : [])));
    for (const exchange of [...exchanges, `${BROKER_PREFIX}dead-letters`, `${BROKER_PREFIX}census`]) {
      await channel.deleteExchange(exchange);
    }
    await connection.close();
  }
  if (KAFKA_BROKERS !== undefined) {
    const admin = plainKafka(KAFKA_BROKERS).admin();
    await admin.connect();
    const there = new Set(await admin.listTopics());
    const topics = places.flatMap(({ kafka }) => (kafka && there.has(kafka.topic) ? [kafka.topic] : []));
    if (topics.length > 0) await admin.deleteTopics({ topics });
    await admin.disconnect();
  }
}
