/**
 * Retry with a pause, by hand: a failed message goes through a waiting queue, and `x-death` counts the rounds.
 *
 * The work queue dead-letters rejected messages to a waiting queue. The waiting queue dead-letters them back to the
 * work queue when their time to live is over. The message never leaves the broker, and the broker counts each round.
 * After the last attempt the consumer parks the message: it publishes the message to a separate queue, waits for the
 * confirm, and only then acknowledges it.
 * A growing pause needs one waiting queue for each step. From RabbitMQ 4.3 on, quorum queues have delayed retry of
 * their own; this example works on all versions.
 * A trap: from 4.0 on the broker does not count rounds for a message that a client publishes again with its old
 * headers. So leave the round trip to the broker.
 *
 * By hand: retry
 * Expect:
 *   attempt 1 failed
 *   attempt 2 failed
 *   attempt 3 failed
 *   parked after 3 attempts: "poison"
 *   pauses of at least 150 ms
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type ConsumeMessage } from 'amqplib';

const url = process.env.RABBITMQ_URL || 'amqp://localhost:5672';
const work = `example-retry-${randomUUID()}`;
const waiting = `${work}-waiting`;
const parked = `${work}-parked`;
const attempts = 3;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(work, {
    durable: true,
    arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': waiting },
  });
  await channel.assertQueue(waiting, {
    durable: true,
    arguments: { 'x-message-ttl': 150, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': work },
  });
  await channel.assertQueue(parked, { durable: true });

  const startedAt: number[] = [];
  async function handle(message: ConsumeMessage): Promise<void> {
    const deaths = message.properties.headers?.['x-death'] ?? [];
    const rejections = deaths.find((death) => death.queue === work && death.reason === 'rejected')?.count ?? 0;
    const attempt = rejections + 1;
    startedAt.push(performance.now());
    console.log(`attempt ${attempt} failed`);
    if (attempt < attempts) {
      channel.reject(message, false);
    } else {
      channel.sendToQueue(parked, message.content, { persistent: true, headers: { attempts: attempt } });
      await channel.waitForConfirms();
      channel.ack(message);
    }
  }
  await channel.consume(work, (message) => {
    if (message) void handle(message);
  });
  channel.sendToQueue(work, Buffer.from('poison'), { persistent: true });

  let letter = await channel.get(parked, { noAck: true });
  while (!letter) {
    await delay(20);
    letter = await channel.get(parked, { noAck: true });
  }
  console.log(`parked after ${letter.properties.headers?.['attempts']} attempts: "${letter.content.toString()}"`);
  const pauses = startedAt.slice(1).map((start, index) => Math.round(start - startedAt[index]!));
  console.log(`pauses of at least 150 ms (were ${pauses.join(', ')})`);

  for (const queue of [work, waiting, parked]) await channel.deleteQueue(queue);
  await connection.close();

  assert.equal(letter.properties.headers?.['attempts'], 3);
  assert.equal(pauses.length, 2);
  assert.ok(
    pauses.every((pause) => pause >= 145),
    'A retry came too early.',
  );
}

void main();
