/**
 * Order: a single active consumer keeps the order of a queue; several such queues keep the order of each key.
 *
 * A queue is first in, first out. Two consumers of one queue work in parallel, so the second message may be done before
 * the first. With `x-single-active-consumer` the broker delivers to only one consumer, and another consumer takes over
 * when this one leaves. So the whole queue stays in order, but only one consumer works.
 * RabbitMQ has no keys, unlike Kafka. To handle many keys in parallel and each key in order, the producer spreads the
 * keys over several such queues by a hash. The same key always goes to the same queue, as long as the number of queues
 * stays the same. (The plugin for consistent hashing spreads them in the broker.)
 * Traps: with a prefetch above 1 and concurrent work, even a single consumer breaks the order. And a requeued message
 * must return to its old position: on a classic queue it does; on a quorum queue only with a delivery limit, otherwise
 * it goes to the end.
 *
 * By hand: orderPerKey
 * Expect:
 *   A alone handled the first …, then it left
 *   B took over and handled the other …
 *   ada, queue …: 1, 2, 3, 4, 5, 6
 *   bob, queue …: 1, 2, 3, 4, 5, 6
 */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'amqplib';

const url = process.env.RABBITMQ_URL || 'amqp://localhost:5672';
const name = `example-order-${randomUUID()}`;
const queues = [`${name}-0`, `${name}-1`];

const queueOf = (key: string): string => queues[createHash('md5').update(key).digest()[0]! % queues.length]!;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  for (const queue of queues) {
    await channel.assertQueue(queue, {
      durable: true,
      arguments: { 'x-queue-type': 'classic', 'x-single-active-consumer': true },
    });
  }

  const worked: { key: string; number: number; by: string }[] = [];
  async function startConsumer(by: string): Promise<() => Promise<void>> {
    const own = await connection.createChannel();
    let gone = false;
    await own.prefetch(1);
    for (const queue of queues) {
      await own.consume(queue, (message) => {
        if (!message) return;
        const { key, number } = JSON.parse(message.content.toString()) as { key: string; number: number };
        setTimeout(() => {
          if (gone) return;
          worked.push({ key, number, by });
          own.ack(message);
        }, 20);
      });
    }
    return async () => {
      gone = true;
      await own.close(); // Its messages in flight return to their positions in the queue.
    };
  }

  const stopA = await startConsumer('A');
  const stopB = await startConsumer('B');
  for (let number = 1; number <= 6; number += 1) {
    for (const key of ['ada', 'bob']) {
      channel.sendToQueue(queueOf(key), Buffer.from(JSON.stringify({ key, number })), { persistent: true });
    }
  }
  await channel.waitForConfirms();

  while (worked.length < 5) await delay(10);
  await stopA();
  const byA = worked.length;
  console.log(`A alone handled the first ${byA}, then it left`);
  while (worked.length < 12) await delay(10);
  const byB = worked.filter(({ by }) => by === 'B').length;
  console.log(`B took over and handled the other ${byB}`);

  const order = (key: string): number[] => worked.filter((one) => one.key === key).map(({ number }) => number);
  for (const key of ['ada', 'bob'])
    console.log(`${key}, queue ${queues.indexOf(queueOf(key))}: ${order(key).join(', ')}`);

  await stopB();
  for (const queue of queues) await channel.deleteQueue(queue);
  await connection.close();

  assert.ok(
    worked.slice(0, byA).every(({ by }) => by === 'A'),
    'B worked while A was the active consumer.',
  );
  assert.equal(byA + byB, 12);
  for (const key of ['ada', 'bob']) assert.deepEqual(order(key), [1, 2, 3, 4, 5, 6]);
}

void main();
