/**
 * Connection and channels: one TCP connection, many channels, and the effect of an error on each.
 *
 * A connection is expensive: a process has one, or one to publish and one to consume. A channel is cheap and serves one
 * purpose. Most errors close only the channel on which they happen. The connection stays open, and the closed channel
 * never opens again: listen for 'close' and open a new channel.
 * amqplib connects once and does not reconnect. Use a library on top of it (amqp-connection-manager), or your own code
 * on 'close'.
 *
 * Expect:
 *   connected to RabbitMQ …
 *   channel A was closed: … 404 …
 *   channel A stays closed: Channel closed
 *   channel B works: the queue holds 0 messages
 *   connection closed: event 'close', no event 'error'
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
  a.on('error', (error: Error) => console.log(`channel A was closed: ${error.message}`));

  await a.checkQueue(`${queue}-missing`).catch(() => undefined); // A missing queue: the broker replies 404, closes A.
  let afterwards = '';
  try {
    await a.checkQueue(queue);
  } catch (error) {
    afterwards = (error as Error).message;
  }
  console.log(`channel A stays closed: ${afterwards}`);

  await b.assertQueue(queue, { exclusive: true, durable: false }); // Exclusive: deleted when this connection closes.
  const { messageCount } = await b.checkQueue(queue);
  console.log(`channel B works: the queue holds ${messageCount} messages`);

  await connection.close(); // Closes the channels too, after sending what is pending.
  console.log(`connection closed: ${heard.join() === 'close' ? "event 'close', no event 'error'" : heard.join()}`);

  assert.equal(afterwards, 'Channel closed');
  assert.equal(messageCount, 0);
  assert.deepEqual(heard, ['close']);
}

void main();
