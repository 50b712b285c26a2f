/**
 * A delay by hand: a queue without consumers, a time to live (TTL), and a dead-letter exchange.
 *
 * RabbitMQ has no delayed messages of its own. (The plugin for them is archived and does not run on 4.3.) But a message
 * whose time to live is over goes to the dead-letter exchange. So a message waits in a queue without consumers, and
 * moves to the work queue when its time is over.
 * A trap: RabbitMQ expires only the message at the head of a queue. With a time to live per message, a message with a
 * short delay waits behind one with a long delay. So use one waiting queue for each delay. The second half of the
 * example shows the wrong way.
 *
 * By hand: delay
 * Expect:
 *   one queue for each delay:
 *   "200 ms" arrived after … ms
 *   "500 ms" arrived after … ms
 *   one queue for all delays:
 *   "500 ms" arrived after … ms
 *   "200 ms" arrived after … ms
 *   "200 ms" was late: it waited behind "500 ms"
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'amqplib';

const url = process.env.RABBITMQ_URL || 'amqp://localhost:5672';
const work = `example-delayed-${randomUUID()}`;
const delays = [500, 200];

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const connection = await connect(url);
  const channel = await connection.createChannel();
  await channel.assertQueue(work, { durable: true });
  // '' is the default exchange: an expired message goes to the queue that the routing key names.
  const toWork = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': work };

  let arrived: { body: string; after: number }[] = [];
  let sentAt = 0;
  await channel.consume(work, (message) => {
    if (!message) return;
    arrived.push({ body: message.content.toString(), after: Math.round(performance.now() - sentAt) });
    console.log(`"${arrived.at(-1)!.body}" arrived after ${arrived.at(-1)!.after} ms`);
    channel.ack(message);
  });

  console.log('one queue for each delay:');
  for (const ms of delays) {
    await channel.assertQueue(`${work}-${ms}`, { durable: true, arguments: { ...toWork, 'x-message-ttl': ms } });
  }
  sentAt = performance.now();
  for (const ms of delays) channel.sendToQueue(`${work}-${ms}`, Buffer.from(`${ms} ms`), { persistent: true });
  while (arrived.length < 2) await delay(20);
  const good = arrived;

  console.log('one queue for all delays:');
  await channel.assertQueue(`${work}-any`, { durable: true, arguments: toWork });
  arrived = [];
  sentAt = performance.now();
  for (const ms of delays) {
    channel.sendToQueue(`${work}-any`, Buffer.from(`${ms} ms`), { persistent: true, expiration: ms });
  }
  while (arrived.length < 2) await delay(20);
  if (arrived[1]!.after >= 490) console.log('"200 ms" was late: it waited behind "500 ms"');

  for (const queue of [work, `${work}-any`, ...delays.map((ms) => `${work}-${ms}`)]) await channel.deleteQueue(queue);
  await connection.close();

  const order = (messages: typeof arrived): string[] => messages.map(({ body }) => body);
  assert.deepEqual(order(good), ['200 ms', '500 ms']);
  assert.ok(good[0]!.after >= 190 && good[1]!.after >= 490, 'A message arrived too early.');
  assert.deepEqual(order(arrived), ['500 ms', '200 ms']);
  assert.ok(arrived[1]!.after >= 490, 'The short delay overtook the long one.');
}

void main();
