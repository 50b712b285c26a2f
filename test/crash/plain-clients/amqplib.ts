import { randomUUID } from 'node:crypto';
import { connect, type ConsumeMessage } from 'amqplib';
import type { BrokerSettings } from '@app/messaging';
import type { PlainClient } from './plain-client';

export async function plainAmqplib({ RABBITMQ_URL, BROKER_PREFIX }: BrokerSettings): Promise<PlainClient> {
  const connection = await connect(RABBITMQ_URL!);
  const channel = await connection.createConfirmChannel();
  await channel.prefetch(1);
  const nameOf = (queue: string): string => `${BROKER_PREFIX}${queue}`;
  const assert = (queue: string) => channel.assertQueue(nameOf(queue), { durable: true });

  return {
    publish: async (queue, orders) => {
      await assert(queue);
      for (const n of orders) {
        const options = { persistent: true, messageId: randomUUID() };
        channel.sendToQueue(nameOf(queue), Buffer.from(JSON.stringify({ n })), options);
      }
      await channel.waitForConfirms();
    },

    consume: async (queue, acknowledged, work) => {
      await assert(queue);
      const noAck = acknowledged === 'on receipt';
      const handle = async (message: ConsumeMessage): Promise<void> => {
        const { n } = JSON.parse(message.content.toString()) as { n: number };
        await work({ n, id: String(message.properties.messageId) });
        if (!noAck) channel.ack(message);
      };
      let inHand: Promise<void> = Promise.resolve();
      const receive = (message: ConsumeMessage | null): void => {
        if (message) inHand = inHand.then(() => handle(message));
      };
      const { consumerTag } = await channel.consume(nameOf(queue), receive, { noAck });
      return { stop: () => channel.cancel(consumerTag).then(() => inHand) };
    },

    // AMQP counts ready messages only, not those in flight.
    outstanding: async (queue) => (await assert(queue)).messageCount,

    remove: async (queue) => {
      await channel.deleteQueue(nameOf(queue));
    },

    // Waits for acknowledgements that are still being sent.
    close: () => channel.close().then(() => connection.close()),
  };
}
