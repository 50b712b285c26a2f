/**
 * Trap: without a prefetch limit the first RabbitMQ consumer gets the whole queue.
 *
 * AMQP has no limit by default: RabbitMQ sends all messages that wait, as fast as the socket takes them. They sit in
 * the memory of one process. A second worker, started to help with the backlog, gets nothing. When the first one dies,
 * all of them are redelivered.
 * The cure: `prefetch` before `consume`. The queue then holds the backlog, and every free worker takes from it. A
 * prefetch of 1 makes each message wait for a round trip; some tens are usual for short work.
 *
 * Needs: rabbitmq
 * Expect:
 *   wrong: no prefetch: the first worker holds 1000 messages, 0 wait in the queue
 *   wrong: a second worker gets 0
 *   right: prefetch 10: the first worker holds 10 messages, 990 wait in the queue
 *   right: a second worker gets 10
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type ChannelModel, type ConfirmChannel } from 'amqplib';

const url = process.env.RABBITMQ_URL || 'amqp://localhost:5672';
const messages = 1_000;

/** A worker that takes messages and does not finish them. */
async function startWorker(connection: ChannelModel, queue: string, prefetch?: number): Promise<() => number> {
  const channel = await connection.createChannel();
  if (prefetch !== undefined) await channel.prefetch(prefetch);
  let holds = 0;
  await channel.consume(queue, (message) => {
    if (message) holds += 1;
  });
  return () => holds;
}

/** @returns how many messages the first worker, the queue and the second worker hold */
async function share(connection: ChannelModel, channel: ConfirmChannel, prefetch?: number): Promise<number[]> {
  const queue = `example-prefetch-${randomUUID()}`;
  await channel.assertQueue(queue, { durable: true });
  for (let number = 1; number <= messages; number += 1) channel.sendToQueue(queue, Buffer.from(`${number}`));
  await channel.waitForConfirms();

  const first = await startWorker(connection, queue, prefetch);
  while (first() < (prefetch ?? messages)) await delay(10);
  const { messageCount: waiting } = await channel.checkQueue(queue);
  const second = await startWorker(connection, queue, prefetch);
  while (second() < (prefetch ?? 0)) await delay(10);
  await delay(100); // More would have come by now.
  const holds = [first(), waiting, second()];
  await channel.deleteQueue(queue);
  return holds;
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  const wrong = await share(connection, channel);
  console.log(`wrong: no prefetch: the first worker holds ${wrong[0]} messages, ${wrong[1]} wait in the queue`);
  console.log(`wrong: a second worker gets ${wrong[2]}`);
  const right = await share(connection, channel, 10);
  console.log(`right: prefetch 10: the first worker holds ${right[0]} messages, ${right[1]} wait in the queue`);
  console.log(`right: a second worker gets ${right[2]}`);
  await connection.close();

  assert.deepEqual(wrong, [1_000, 0, 0]);
  assert.deepEqual(right, [10, 990, 10]);
}

void main();
