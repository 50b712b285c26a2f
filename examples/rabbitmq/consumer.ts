/**
 * The consumer: prefetch, ack, nack, and a message that is delivered twice.
 *
 * Prefetch is the maximum number of unacknowledged messages that the broker delivers to a consumer. It limits how many
 * messages the consumer handles at the same time. Without it the broker sends all messages of the queue.
 * Acknowledge each delivery once, on the channel on which it arrived: `ack` (done), `nack` without requeue (dropped, or
 * to the dead-letter exchange), `nack` with requeue (delivered again). If a consumer dies, the broker delivers its
 * unacknowledged messages again, with the flag `redelivered`. So a message may be handled twice: at least once.
 * A trap: after a nack with requeue the broker redelivers at once. A message that can never succeed loops without a
 * pause; dead-letter.ts and retry.ts show two solutions.
 *
 * Shows: concurrency
 * Expect:
 *   prefetch 2 of 6 messages: at most 2 in flight
 *   acked: 1, 2, 3, 4, 6
 *   nacked without requeue: 5
 *   delivered twice: 3
 *   the queue holds 0 messages
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type ConsumeMessage } from 'amqplib';

const url = process.env.RABBITMQ_URL || 'amqp://localhost:5672';
const queue = `example-consumer-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const connection = await connect(url);
  const channel = await connection.createChannel();
  await channel.assertQueue(queue, { durable: true });
  for (let number = 1; number <= 6; number += 1) channel.sendToQueue(queue, Buffer.from(`${number}`));

  const acked: string[] = [];
  const nacked: string[] = [];
  const deliveredTwice: string[] = [];
  let inFlight = 0;
  let most = 0;

  async function handle(message: ConsumeMessage): Promise<void> {
    most = Math.max(most, (inFlight += 1));
    await delay(50);
    inFlight -= 1;
    const number = message.content.toString();
    if (message.fields.redelivered) deliveredTwice.push(number);
    if (number === '5') {
      nacked.push(number);
      channel.nack(message, false, false); // This message only, without requeue.
    } else if (number === '3' && !message.fields.redelivered) {
      channel.nack(message, false, true); // This message only, with requeue.
    } else {
      acked.push(number);
      channel.ack(message);
    }
  }

  await channel.prefetch(2); // Before consume: it applies to consumers that start later.
  const { consumerTag } = await channel.consume(queue, (message) => {
    if (message) void handle(message); // Null: the broker has cancelled this consumer, because its queue was deleted.
  });
  while (acked.length + nacked.length < 6) await delay(20);

  // To stop: cancel the consumer, acknowledge what is in flight, then close.
  await channel.cancel(consumerTag);
  const { messageCount } = await channel.checkQueue(queue);
  console.log(`prefetch 2 of 6 messages: at most ${most} in flight`);
  console.log(`acked: ${acked.sort().join(', ')}`);
  console.log(`nacked without requeue: ${nacked.join(', ')}`);
  console.log(`delivered twice: ${deliveredTwice.join(', ')}`);
  console.log(`the queue holds ${messageCount} messages`);
  await channel.deleteQueue(queue);
  await connection.close();

  assert.equal(most, 2);
  assert.deepEqual(acked, ['1', '2', '3', '4', '6']);
  assert.deepEqual([nacked, deliveredTwice], [['5'], ['3']]);
  assert.equal(messageCount, 0);
}

void main();
