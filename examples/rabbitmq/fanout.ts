/**
 * A fanout exchange: every bound queue gets a copy of each message.
 *
 * Each service has its own queue and gets every message. Two processes of one service share its queue, so only one of
 * them gets a message. A fanout exchange ignores the routing key.
 * An exchange stores nothing: a queue that is bound later does not get earlier messages. Kafka can replay them, a queue
 * of RabbitMQ cannot (a stream of RabbitMQ can).
 *
 * Shows: broadcast
 * Expect:
 *   mailer got: order 1, order 2, order 3
 *   audit got: order 1, order 2, order 3
 *   late got: order 3
 *   mailer's two processes shared: 3 messages, each once
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'amqplib';

const url = process.env.RABBITMQ_URL || 'amqp://localhost:5672';
const exchange = `example-fanout-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  await channel.assertExchange(exchange, 'fanout', { durable: true });

  const got: Record<string, string[]> = {};
  async function subscribe(service: string, processes: number): Promise<void> {
    const queue = `${exchange}-${service}`;
    await channel.assertQueue(queue, { durable: true });
    await channel.bindQueue(queue, exchange, '');
    got[service] = [];
    for (let process = 1; process <= processes; process += 1) {
      await channel.consume(queue, (message) => {
        if (!message) return;
        got[service]!.push(message.content.toString());
        channel.ack(message);
      });
    }
  }

  await subscribe('mailer', 2);
  await subscribe('audit', 1);
  channel.publish(exchange, 'order.1', Buffer.from('order 1'), { persistent: true });
  channel.publish(exchange, 'order.2', Buffer.from('order 2'), { persistent: true });
  await channel.waitForConfirms();

  await subscribe('late', 1);
  channel.publish(exchange, 'order.3', Buffer.from('order 3'), { persistent: true });
  while (Object.values(got).flat().length < 7) await delay(20);

  for (const [service, messages] of Object.entries(got)) console.log(`${service} got: ${messages.sort().join(', ')}`);
  console.log(`mailer's two processes shared: ${got['mailer']!.length} messages, each once`);

  for (const service of Object.keys(got)) await channel.deleteQueue(`${exchange}-${service}`);
  await channel.deleteExchange(exchange);
  await connection.close();

  const all = ['order 1', 'order 2', 'order 3'];
  assert.deepEqual(got, { mailer: all, audit: all, late: ['order 3'] });
}

void main();
