/**
 * Dead letters: a message that is rejected or fails too often goes to a dead-letter exchange.
 *
 * A queue names a dead-letter exchange. A message goes there when a consumer rejects it without requeue, when its time
 * to live is over, when the queue is longer than its limit, or, on a quorum queue, when it was redelivered more often
 * than the delivery limit allows. The header `x-death` records the queue, the reason and the count.
 * Traps: without a dead-letter exchange the broker drops all these messages. The exchange and its queue must exist
 * first: the broker drops a dead letter that reaches no queue. From RabbitMQ 4.0 on a quorum queue has a default limit
 * of 20. From 4.3 on `nack` with requeue does not count towards the limit; `reject` counts on all versions.
 *
 * Shows: deadLetter
 * Expect:
 *   "malformed" was delivered 1 time
 *   "poison" was delivered 3 times
 *   dead letter "malformed", reason: rejected
 *   dead letter "poison", reason: delivery_limit
 *   "fine" was acked, the work queue is empty
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'amqplib';

const url = process.env.RABBITMQ_URL || 'amqp://localhost:5672';
const work = `example-dead-letter-${randomUUID()}`;
const dead = `${work}-dead`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const connection = await connect(url);
  const channel = await connection.createChannel();
  await channel.assertExchange(dead, 'fanout', { durable: true });
  await channel.assertQueue(dead, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await channel.bindQueue(dead, dead, '');
  await channel.assertQueue(work, {
    durable: true,
    arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 2, 'x-dead-letter-exchange': dead },
  });
  for (const body of ['malformed', 'poison', 'fine']) {
    channel.sendToQueue(work, Buffer.from(body), { persistent: true });
  }

  const delivered = { malformed: 0, poison: 0, fine: 0 };
  await channel.prefetch(1);
  await channel.consume(work, (message) => {
    if (!message) return;
    const body = message.content.toString() as keyof typeof delivered;
    delivered[body] += 1;
    if (body === 'fine') channel.ack(message);
    else channel.reject(message, body === 'poison'); // "malformed" without requeue, "poison" with requeue.
  });

  const reasons: Record<string, unknown> = {};
  await channel.consume(dead, (message) => {
    if (!message) return;
    const [death] = message.properties.headers?.['x-death'] ?? [];
    reasons[message.content.toString()] = death?.reason;
    channel.ack(message);
  });
  while (delivered.fine < 1 || Object.keys(reasons).length < 2) await delay(20);

  console.log(`"malformed" was delivered ${delivered.malformed} time`);
  console.log(`"poison" was delivered ${delivered.poison} times`);
  for (const body of ['malformed', 'poison']) console.log(`dead letter "${body}", reason: ${String(reasons[body])}`);
  const { messageCount } = await channel.checkQueue(work);
  console.log(`"fine" was acked, the work queue ${messageCount === 0 ? 'is empty' : 'is not empty'}`);

  await channel.deleteQueue(work);
  await channel.deleteQueue(dead);
  await channel.deleteExchange(dead);
  await connection.close();

  assert.deepEqual(delivered, { malformed: 1, poison: 3, fine: 1 }); // The first delivery and two redeliveries.
  assert.deepEqual(reasons, { malformed: 'rejected', poison: 'delivery_limit' });
  assert.equal(messageCount, 0);
}

void main();
