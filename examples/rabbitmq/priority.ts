/**
 * Priority: what is urgent overtakes what waits in the queue.
 *
 * A classic queue with `x-max-priority` has levels from 0 to that number, and a higher number goes first. A few levels
 * are enough, because each one costs memory. A message without a priority has 0.
 * A trap: no message can overtake one that the broker has already delivered to a consumer. A large prefetch undoes the
 * order, so keep it small here.
 * Quorum queues have no priorities before RabbitMQ 4.0, two levels from 4.0 on, and up to 32 levels from 4.3 on.
 *
 * Shows: priority
 * Expect:
 *   published: newsletter (1), receipt (5), password reset (9), forgot to say
 *   worked: password reset, receipt, newsletter, forgot to say
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'amqplib';

const url = process.env.RABBITMQ_URL || 'amqp://localhost:5672';
const queue = `example-priority-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'classic', 'x-max-priority': 9 } });

  channel.sendToQueue(queue, Buffer.from('newsletter'), { persistent: true, priority: 1 });
  channel.sendToQueue(queue, Buffer.from('receipt'), { persistent: true, priority: 5 });
  channel.sendToQueue(queue, Buffer.from('password reset'), { persistent: true, priority: 9 });
  channel.sendToQueue(queue, Buffer.from('forgot to say'), { persistent: true });
  await channel.waitForConfirms();
  console.log('published: newsletter (1), receipt (5), password reset (9), forgot to say');

  const worked: string[] = [];
  await channel.prefetch(1);
  await channel.consume(queue, (message) => {
    if (!message) return;
    worked.push(message.content.toString());
    channel.ack(message);
  });
  while (worked.length < 4) await delay(20);
  console.log(`worked: ${worked.join(', ')}`);

  await channel.deleteQueue(queue);
  await connection.close();

  assert.deepEqual(worked, ['password reset', 'receipt', 'newsletter', 'forgot to say']);
}

void main();
