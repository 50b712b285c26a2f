/**
 * Priority: an urgent message overtakes the messages that wait in the queue.
 *
 * A classic queue with `x-max-priority` has levels from 0 to that number, and a higher number goes first. Use few
 * levels, because each level costs memory. A message without a priority has priority 0.
 * A trap: a message cannot overtake one that the broker has already delivered to a consumer. With a large prefetch the
 * priority has little effect, so use a small one.
 * Quorum queues have no priorities before RabbitMQ 4.0, two levels from 4.0 on, and up to 32 levels from 4.3 on.
 *
 * Shows: priority
 * Expect:
 *   published: newsletter (1), receipt (5), password reset (9), survey (none)
 *   handled: password reset, receipt, newsletter, survey
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
  channel.sendToQueue(queue, Buffer.from('survey'), { persistent: true });
  await channel.waitForConfirms();
  console.log('published: newsletter (1), receipt (5), password reset (9), survey (none)');

  const handled: string[] = [];
  await channel.prefetch(1);
  await channel.consume(queue, (message) => {
    if (!message) return;
    handled.push(message.content.toString());
    channel.ack(message);
  });
  while (handled.length < 4) await delay(20);
  console.log(`handled: ${handled.join(', ')}`);

  await channel.deleteQueue(queue);
  await connection.close();

  assert.deepEqual(handled, ['password reset', 'receipt', 'newsletter', 'survey']);
}

void main();
