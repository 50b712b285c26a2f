/**
 * A direct exchange: a message goes to the queues that are bound with exactly its routing key.
 *
 * A producer names an exchange and a routing key, and knows no queue. A binding connects a queue to an exchange and
 * says which routing keys go into this queue. Several queues may be bound with one key: each gets its own copy. One
 * queue may be bound with several keys.
 *
 * Expect:
 *   info    -> everything
 *   warning -> everything
 *   error   -> alarms, everything
 *   debug   -> nowhere
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';

const url = process.env.RABBITMQ_URL || 'amqp://localhost:5672';
const exchange = `example-direct-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  await channel.assertExchange(exchange, 'direct', { durable: true });

  const bindings = { alarms: ['error'], everything: ['info', 'warning', 'error'] };
  for (const [queue, keys] of Object.entries(bindings)) {
    await channel.assertQueue(`${exchange}-${queue}`, { durable: true });
    for (const key of keys) await channel.bindQueue(`${exchange}-${queue}`, exchange, key);
  }

  const reached: Record<string, string> = {};
  for (const key of ['info', 'warning', 'error', 'debug']) {
    channel.publish(exchange, key, Buffer.from(key), { persistent: true });
    await channel.waitForConfirms(); // Now every bound queue has it.
    const queues: string[] = []; // `get` fetches one message, to inspect it. Workers use `consume` (consumer.ts).
    for (const queue of Object.keys(bindings)) {
      if (await channel.get(`${exchange}-${queue}`, { noAck: true })) queues.push(queue);
    }
    reached[key] = queues.join(', ') || 'nowhere'; // Dropped without an error: confirms.ts shows how to detect it.
    console.log(`${key.padEnd(7)} -> ${reached[key]}`);
  }

  for (const queue of Object.keys(bindings)) await channel.deleteQueue(`${exchange}-${queue}`);
  await channel.deleteExchange(exchange);
  await connection.close();

  assert.deepEqual(reached, {
    info: 'everything',
    warning: 'everything',
    error: 'alarms, everything',
    debug: 'nowhere',
  });
}

void main();
