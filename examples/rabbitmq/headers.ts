/**
 * A headers exchange: it routes by the headers of a message, not by its routing key.
 *
 * A binding names headers and values. `x-match: all` requires all of them, `x-match: any` requires at least one. Use a
 * headers exchange when the route depends on several values that have no order. When one word decides, a direct or a
 * topic exchange is simpler.
 *
 * Expect:
 *   {"format":"pdf","country":"de"} -> german-pdf, pdf-or-urgent
 *   {"format":"pdf","country":"fr"} -> pdf-or-urgent
 *   {"format":"csv","urgent":true}  -> pdf-or-urgent
 *   {"format":"csv","country":"de"} -> nowhere
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';

const url = process.env.RABBITMQ_URL || 'amqp://localhost:5672';
const exchange = `example-headers-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  await channel.assertExchange(exchange, 'headers', { durable: true });

  const bindings = {
    'german-pdf': { 'x-match': 'all', format: 'pdf', country: 'de' },
    'pdf-or-urgent': { 'x-match': 'any', format: 'pdf', urgent: true },
  };
  for (const [queue, headers] of Object.entries(bindings)) {
    await channel.assertQueue(`${exchange}-${queue}`, { durable: true });
    await channel.bindQueue(`${exchange}-${queue}`, exchange, '', headers);
    console.log(`queue ${queue} is bound with ${JSON.stringify(headers)}`);
  }

  const reached: string[] = [];
  for (const headers of [
    { format: 'pdf', country: 'de' },
    { format: 'pdf', country: 'fr' },
    { format: 'csv', urgent: true },
    { format: 'csv', country: 'de' },
  ]) {
    channel.publish(exchange, '', Buffer.from('report'), { headers, persistent: true });
    await channel.waitForConfirms();
    const queues: string[] = [];
    for (const queue of Object.keys(bindings)) {
      if (await channel.get(`${exchange}-${queue}`, { noAck: true })) queues.push(queue);
    }
    reached.push(queues.join(', ') || 'nowhere');
    console.log(`${JSON.stringify(headers).padEnd(31)} -> ${reached.at(-1)}`);
  }

  for (const queue of Object.keys(bindings)) await channel.deleteQueue(`${exchange}-${queue}`);
  await channel.deleteExchange(exchange);
  await connection.close();

  assert.deepEqual(reached, ['german-pdf, pdf-or-urgent', 'pdf-or-urgent', 'pdf-or-urgent', 'nowhere']);
}

void main();
