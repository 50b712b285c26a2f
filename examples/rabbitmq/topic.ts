/**
 * A topic exchange: routing keys consist of words, and bindings may have wildcards.
 *
 * Dots separate the words. In a binding `*` matches exactly one word, and `#` matches any number of words, including
 * none. A message goes into a queue once, even when several bindings of the queue match.
 *
 * Expect:
 *   order.shipped          -> orders, all
 *   order.shipped.eu       -> shipped, all
 *   order.cancelled.eu     -> all
 *   invoice.shipped        -> all
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';

const url = process.env.RABBITMQ_URL || 'amqp://localhost:5672';
const exchange = `example-topic-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  await channel.assertExchange(exchange, 'topic', { durable: true });

  const bindings = { orders: 'order.*', shipped: '*.shipped.*', all: '#' };
  for (const [queue, pattern] of Object.entries(bindings)) {
    await channel.assertQueue(`${exchange}-${queue}`, { durable: true });
    await channel.bindQueue(`${exchange}-${queue}`, exchange, pattern);
    console.log(`queue ${queue} is bound with ${pattern}`);
  }

  const reached: Record<string, string> = {};
  for (const key of ['order.shipped', 'order.shipped.eu', 'order.cancelled.eu', 'invoice.shipped']) {
    channel.publish(exchange, key, Buffer.from(key), { persistent: true });
    await channel.waitForConfirms();
    const queues: string[] = [];
    for (const queue of Object.keys(bindings)) {
      if (await channel.get(`${exchange}-${queue}`, { noAck: true })) queues.push(queue);
    }
    reached[key] = queues.join(', ');
    console.log(`${key.padEnd(22)} -> ${reached[key]}`);
  }

  for (const queue of Object.keys(bindings)) await channel.deleteQueue(`${exchange}-${queue}`);
  await channel.deleteExchange(exchange);
  await connection.close();

  assert.deepEqual(reached, {
    'order.shipped': 'orders, all',
    'order.shipped.eu': 'shipped, all',
    'order.cancelled.eu': 'all',
    'invoice.shipped': 'all',
  });
}

void main();
