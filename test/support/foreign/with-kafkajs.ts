import { Kafka as KafkaBinding, type CloudEvent } from 'cloudevents';
import { Kafka, logLevel, type KafkaMessage, type Message } from 'kafkajs';
import type { Listener } from './listener';

/** Sends as another service does, with kafkajs and the CloudEvents package and without our code. */
export async function sendByKafkajs(brokers: string[], topic: string, event: CloudEvent<unknown>): Promise<void> {
  const { headers, value } = KafkaBinding.structured(event);
  await send(brokers, topic, { key: event.id, headers, value });
}

export async function sendBinaryByKafkajs(
  brokers: string[],
  topic: string,
  event: CloudEvent<unknown>,
  bytes: Buffer = Buffer.from(JSON.stringify(event.data)),
): Promise<void> {
  const { headers } = KafkaBinding.binary(event);
  // kafkajs throws at attributes that are undefined, but the package lists them.
  const set = Object.fromEntries(Object.entries(headers).filter(([, text]) => text !== undefined));
  await send(brokers, topic, { key: event.id, headers: set, value: bytes });
}

/** Reads a topic from its beginning with its own group. */
export async function listenByKafkajs(
  brokers: string[],
  topic: string,
  groupId: string,
): Promise<Listener<KafkaMessage>> {
  const consumer = plainKafka(brokers).consumer({ groupId, maxWaitTimeInMs: 500 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  let heard!: (message: KafkaMessage) => void;
  const first = new Promise<KafkaMessage>((resolve) => (heard = resolve));
  await consumer.run({
    eachMessage: ({ message }) => {
      heard(message);
      return Promise.resolve();
    },
  });
  return { first, close: () => consumer.disconnect() };
}

async function send(brokers: string[], topic: string, message: Message): Promise<void> {
  const producer = plainKafka(brokers).producer();
  await producer.connect();
  try {
    await producer.send({ topic, messages: [message] });
  } finally {
    await producer.disconnect();
  }
}

export function plainKafka(brokers: string[]): Kafka {
  return new Kafka({ brokers, logLevel: logLevel.NOTHING });
}
