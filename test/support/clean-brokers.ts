import { connect } from 'amqplib';
import { Kafka, logLevel } from 'kafkajs';
import { eventDefinitions, jobDefinitions } from '@app/features/catalogue';
import { RabbitmqNames, type BrokerSettings } from '@app/messaging';

/**
 * Removes what an ended system has left on the shared brokers of the run, which would otherwise fill up. A broker of
 * one test ends with all its data.
 */
export async function cleanBrokers({ RABBITMQ_URL, KAFKA_BROKERS, BROKER_PREFIX }: BrokerSettings): Promise<void> {
  if (RABBITMQ_URL !== undefined && RABBITMQ_URL === process.env['TEST_RABBITMQ_URL']) {
    await cleanRabbitmq(RABBITMQ_URL, BROKER_PREFIX);
  }
  if (KAFKA_BROKERS !== undefined && KAFKA_BROKERS.join() === process.env['TEST_KAFKA_BROKERS']) {
    await cleanKafka(KAFKA_BROKERS, BROKER_PREFIX);
  }
}

/** Deletes by name, because AMQP cannot list queues and exchanges. */
async function cleanRabbitmq(url: string, prefix: string): Promise<void> {
  const names = new RabbitmqNames(prefix);
  const queues = [
    names.deadLetters,
    ...jobDefinitions.map(({ queue }) => names.queue(queue)),
    ...eventDefinitions.flatMap(({ kind, subscribers }) => subscribers.map((name) => names.subscriber(kind, name))),
  ];
  const exchanges = [names.jobs, names.events, names.deadLetters, names.unackedExchange];
  const connection = await connect(url);
  const channel = await connection.createChannel();
  for (const queue of new Set(queues)) await channel.deleteQueue(queue);
  for (const exchange of exchanges) await channel.deleteExchange(exchange);
  for (const { kind } of eventDefinitions) await channel.deleteExchange(names.event(kind));
  await connection.close();
}

/** Kafka deletes a group without members and topics by itself. */
async function cleanKafka(brokers: readonly string[], prefix: string): Promise<void> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
  if (topics.length > 0) await admin.deleteTopics({ topics });
  await admin.disconnect();
}
