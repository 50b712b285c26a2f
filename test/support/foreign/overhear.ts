import { CloudEvent, HTTP, Kafka } from 'cloudevents';
import type { BrokerSettings } from '@app/messaging';
import type { BrokerChannel } from '../../../apps/api/src/asyncapi/broker-description';
import { uniqueName } from '../core';
import { until } from '../until';
import type { Listener } from './listener';
import { listenByAmqplib } from './with-amqplib';
import { firstIn, plainQueue } from './with-bullmq';
import { listenByKafkajs } from './with-kafkajs';

/** A message as another service gets it, and as the CloudEvents package reads it. */
export interface Overheard {
  /** The headers and properties that the broker adds to the body. */
  readonly headers: object;
  readonly body: string;
  readonly event: CloudEvent<unknown>;
}

/** Listens at the address where the description of a broker says that messages are sent. */
export async function overhear(
  settings: BrokerSettings,
  { address, bindings }: BrokerChannel,
): Promise<Listener<Overheard>> {
  const { amqp, kafka } = bindings as any;
  if (amqp) {
    const { first, close } = await listenByAmqplib(settings.RABBITMQ_URL!, amqp.exchange.name, address);
    return { first: first.then(fromAmqp), close };
  }
  if (kafka) {
    const { first, close } = await listenByKafkajs(settings.KAFKA_BROKERS!, address, uniqueName());
    return { first: first.then(fromKafka), close };
  }
  const queue = plainQueue(address, settings);
  const first = until(
    'a job in the queue',
    () => firstIn(queue),
    (job) => job !== undefined,
  );
  return { first: first.then((job) => fromBullmq(job!)), close: () => queue.close() };
}

type Amqp = Awaited<Awaited<ReturnType<typeof listenByAmqplib>>['first']>;
type OfKafka = Awaited<Awaited<ReturnType<typeof listenByKafkajs>>['first']>;
type OfBullmq = NonNullable<Awaited<ReturnType<typeof firstIn>>>;

/** The package has no AMQP binding. Structured mode is the same as in HTTP. */
function fromAmqp({ content, properties }: Amqp): Overheard {
  const { contentType, messageId, deliveryMode } = properties;
  const body = content.toString();
  const event = HTTP.toEvent({ headers: { 'content-type': contentType }, body }) as CloudEvent<unknown>;
  return { headers: { contentType, messageId, deliveryMode }, body, event };
}

function fromKafka({ key, value, headers }: OfKafka): Overheard {
  const texts = Object.fromEntries(Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)]));
  const [message, body] = [{ key: String(key), headers: texts }, String(value)];
  return { headers: message, body, event: Kafka.toEvent({ ...message, value: body, body } as never) as CloudEvent };
}

function fromBullmq({ id, name, data, opts: { priority } }: OfBullmq): Overheard {
  return { headers: { id, name, priority }, body: JSON.stringify(data), event: new CloudEvent(data) };
}
