/**
 * Connection and channels: one TCP connection, many channels on it, and what an error does to each.
 *
 * A connection is expensive: a process has one, or one to publish and one to consume. A channel is cheap and serves one
 * purpose. Most errors close only the channel on which they happen, for good, while the connection stays open. The
 * owner of a channel must listen for its close and open a new one.
 * amqplib connects once. It does not reconnect after the broker was away; use a library above it
 * (amqp-connection-manager), or your own code on 'close'.
 *
 * Expect:
 *   connected to RabbitMQ …
 *   channel A died: … 404 …
 *   channel A is of no use any more: Channel closed
 *   channel B works: the queue holds 0 messages
 *   closed in order: 'close' was heard, no 'error'
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';

const url = process.env.RABBITMQ_URL || 'amqp://localhost:5672';
const queue = `example-connection-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  // The heartbeat detects a silent peer. Operators see the name in the management UI.
  const address = new URL(url);
  address.searchParams.set('heartbeat', '10');
  const connection = await connect(address.href, { clientProperties: { connection_name: 'example' } });
  const heard: string[] = [];
  connection.on('error', () => heard.push('error')); // An 'error' event without a listener would end the process.
  connection.on('close', () => heard.push('close'));
  console.log(`connected to RabbitMQ ${connection.connection.serverProperties.version}`);

  const a = await connection.createChannel();
  const b = await connection.createChannel();
  a.on('error', (error: Error) => console.log(`channel A died: ${error.message}`));

  await a.checkQueue(`${queue}-missing`).catch(() => undefined); // A missing queue: the broker replies 404, closes A.
  let afterwards = '';
  try {
    await a.checkQueue(queue);
  } catch (error) {
    afterwards = (error as Error).message;
  }
  console.log(`channel A is of no use any more: ${afterwards}`);

  await b.assertQueue(queue, { exclusive: true, durable: false }); // Exclusive: deleted when this connection closes.
  const { messageCount } = await b.checkQueue(queue);
  console.log(`channel B works: the queue holds ${messageCount} messages`);

  await connection.close(); // Closes the channels too, after sending what is pending.
  console.log(`closed in order: ${heard.join() === 'close' ? "'close' was heard, no 'error'" : heard.join()}`);

  assert.equal(afterwards, 'Channel closed');
  assert.equal(messageCount, 0);
  assert.deepEqual(heard, ['close']);
}

void main();
