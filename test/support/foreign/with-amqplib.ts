import { connect, type ConsumeMessage } from 'amqplib';
import type { CloudEvent } from 'cloudevents';
import type { Listener } from './listener';

/** Sends as another service does, with amqplib and without our code. */
export async function sendByAmqplib(url: string, queue: string, event: CloudEvent<unknown>): Promise<void> {
  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  channel.sendToQueue(queue, Buffer.from(JSON.stringify(event)), { contentType: 'application/cloudevents+json' });
  await channel.waitForConfirms();
  await connection.close();
}

/** Sends in binary mode: the attributes are headers, as the AMQP binding of CloudEvents names them. */
export async function sendBinaryByAmqplib(
  url: string,
  queue: string,
  { id, source, type, data, ...more }: CloudEvent<unknown>,
  bytes: Buffer = Buffer.from(JSON.stringify(data)),
): Promise<void> {
  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  channel.sendToQueue(queue, bytes, {
    contentType: 'application/json',
    headers: {
      'cloudEvents:specversion': '1.0',
      'cloudEvents:id': id,
      'cloudEvents:source': source,
      'cloudEvents:type': type,
      'cloudEvents:tenant': more['tenant'],
    },
  });
  await channel.waitForConfirms();
  await connection.close();
}

/** Receives from an exchange with its own queue. */
export async function listenByAmqplib(
  url: string,
  exchange: string,
  routingKey: string,
): Promise<Listener<ConsumeMessage>> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, exchange, routingKey);
  const first = new Promise<ConsumeMessage>((resolve) => {
    void channel.consume(queue, (message) => message && resolve(message), { noAck: true });
  });
  return { first, close: () => connection.close() };
}
