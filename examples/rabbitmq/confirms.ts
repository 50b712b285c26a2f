/**
 * Publisher confirms: the broker confirms each message, and `mandatory` returns a message that reaches no queue.
 *
 * On a plain channel a message can be lost without an error. On a confirm channel the broker answers each message: with
 * a confirm when the message is safe (quorum queue: on a majority of its nodes; persistent message in a durable classic
 * queue: on disk), or with a nack when the broker refuses it. If the connection breaks before the answer, the outcome
 * is unknown. Publish the message again; the consumer must handle a duplicate.
 * A trap: the broker also confirms a message that reaches no queue, and drops it. Only with `mandatory` does the broker
 * return this message, before the confirm.
 *
 * Expect:
 *   routable: confirmed, not returned
 *   unroutable: confirmed, returned: NO_ROUTE
 *   a full queue: refused
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect, type ConfirmChannel } from 'amqplib';

const url = process.env.RABBITMQ_URL || 'amqp://localhost:5672';
const queue = `example-confirms-${randomUUID()}`;
const fullQueue = `${queue}-full`;

function publish(channel: ConfirmChannel, to: string, messageId: string): Promise<'confirmed' | 'refused'> {
  return new Promise((resolve) => {
    channel.publish('', to, Buffer.from('hello'), { persistent: true, mandatory: true, messageId }, (refused) =>
      resolve(refused ? 'refused' : 'confirmed'),
    );
  });
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  const returned = new Map<string, string>();
  channel.on('return', ({ properties, fields }: { properties: { messageId: string }; fields: { replyText: string } }) =>
    returned.set(properties.messageId, fields.replyText),
  );

  await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  const routable = await publish(channel, queue, 'first');
  console.log(`routable: ${routable}, ${returned.has('first') ? 'returned' : 'not returned'}`);

  const unroutable = await publish(channel, `${queue}-misspelt`, 'second');
  console.log(`unroutable: ${unroutable}, returned: ${returned.get('second')}`);

  await channel.assertQueue(fullQueue, {
    durable: true,
    arguments: { 'x-queue-type': 'classic', 'x-max-length': 1, 'x-overflow': 'reject-publish' },
  });
  await publish(channel, fullQueue, 'third');
  const refused = await publish(channel, fullQueue, 'fourth');
  console.log(`a full queue: ${refused}`);

  // For many messages: publish them all, then `await channel.waitForConfirms()`. One by one is slow.
  await channel.deleteQueue(queue);
  await channel.deleteQueue(fullQueue);
  await connection.close();

  assert.deepEqual([routable, unroutable, refused], ['confirmed', 'confirmed', 'refused']);
  assert.deepEqual([...returned], [['second', 'NO_ROUTE']]);
}

void main();
