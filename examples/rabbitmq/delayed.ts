/**
 * A delay by hand: a queue that nobody reads, a time to live, and a dead-letter exchange behind it.
 *
 * RabbitMQ has no delayed messages of its own. (The plugin for them is archived and does not run on 4.3.) But a message
 * whose time to live is over goes to the dead-letter exchange. So a message waits in a queue without consumers and,
 * when its time is over, moves to the work queue.
 * A trap: only the message at the head of a queue can expire. With a time to live per message, a short one waits behind
 * a long one. So use one waiting queue for each delay; the second half shows the reason.
 *
 * By hand: delay
 * Expect:
 *   a queue for each delay:
 *   "after 200 ms" came
 *   "after 500 ms" came
 *   one queue for all delays:
 *   "after 500 ms" came
 *   "after 200 ms" came
 *   "after 200 ms" was late: it had to wait for the one before it
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

  let came: { body: string; after: number }[] = [];
  let sentAt = 0;
  await channel.consume(work, (message) => {
    if (!message) return;
    came.push({ body: message.content.toString(), after: Math.round(performance.now() - sentAt) });
    console.log(`"${came.at(-1)!.body}" came after ${came.at(-1)!.after} ms`);
    channel.ack(message);
  });

  console.log('a queue for each delay:');
  for (const ms of delays) {
    await channel.assertQueue(`${work}-${ms}`, { durable: true, arguments: { ...toWork, 'x-message-ttl': ms } });
  }
  sentAt = performance.now();
  for (const ms of delays) channel.sendToQueue(`${work}-${ms}`, Buffer.from(`after ${ms} ms`), { persistent: true });
  while (came.length < 2) await delay(20);
  const good = came;

  console.log('one queue for all delays:');
  await channel.assertQueue(`${work}-any`, { durable: true, arguments: toWork });
  came = [];
  sentAt = performance.now();
  for (const ms of delays) {
    channel.sendToQueue(`${work}-any`, Buffer.from(`after ${ms} ms`), { persistent: true, expiration: ms });
  }
  while (came.length < 2) await delay(20);
  if (came[1]!.after >= 500) console.log('"after 200 ms" was late: it had to wait for the one before it');

  for (const queue of [work, `${work}-any`, ...delays.map((ms) => `${work}-${ms}`)]) await channel.deleteQueue(queue);
  await connection.close();

  const order = (messages: typeof came): string[] => messages.map(({ body }) => body);
  assert.deepEqual(order(good), ['after 200 ms', 'after 500 ms']);
  assert.ok(good[0]!.after >= 190 && good[1]!.after >= 490, 'A message came too early.');
  assert.deepEqual(order(came), ['after 500 ms', 'after 200 ms']);
  assert.ok(came[1]!.after >= 490, 'The short one overtook the long one.');
}

void main();
