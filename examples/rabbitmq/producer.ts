/**
 * The producer: a durable queue, persistent messages, and the properties of a message.
 *
 * A message survives a restart of the broker if its queue is durable and the message is persistent. `sendToQueue` uses
 * the default exchange, to which every queue is bound by its own name. This is the short way; the general way is an
 * exchange of your own (direct.ts, topic.ts, fanout.ts, headers.ts).
 * `sendToQueue` and `publish` return before the broker has the message. `false` only means that the write buffer of the
 * client is full: wait for 'drain'. Only a confirm shows that the message has arrived (confirms.ts).
 *
 * Expect:
 *   declared: the queue holds 0 messages
 *   3000 published, the write buffer was full … times
 *   the queue holds 3000 messages
 *   the first message: {"orderNumber":4711}, order.shipped, application/json, persistent
 *   deleting the queue removed the other 2999 messages
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type Options } from 'amqplib';

const url = process.env.RABBITMQ_URL || 'amqp://localhost:5672';
const queue = `example-producer-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const connection = await connect(url);
  const channel = await connection.createChannel();
  // A quorum queue is always durable, and replicated when there is more than one node. Declaring it again with the same
  // arguments changes nothing; with others it is an error that closes the channel.
  const declared = await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  console.log(`declared: the queue holds ${declared.messageCount} messages`);

  let full = 0;
  for (let orderNumber = 4711; orderNumber < 4711 + 3_000; orderNumber += 1) {
    const mayGoOn = channel.sendToQueue(queue, Buffer.from(JSON.stringify({ orderNumber })), {
      persistent: true,
      contentType: 'application/json',
      type: 'order.shipped',
      messageId: randomUUID(), // The same when the message is delivered twice, so that a consumer can recognise it.
      timestamp: Math.floor(Date.now() / 1_000),
    });
    if (!mayGoOn) {
      full += 1;
      await once(channel, 'drain');
    }
  }
  console.log(`3000 published, the write buffer was full ${full} times`);

  let held = 0;
  while (held < 3_000) {
    await delay(20);
    held = (await channel.checkQueue(queue)).messageCount;
  }
  console.log(`the queue holds ${held} messages`);

  const message = await channel.get(queue, { noAck: true });
  assert.ok(message, 'The queue was empty.');
  const { type, contentType, deliveryMode } = message.properties as Options.Publish;
  const mode = deliveryMode === 2 ? 'persistent' : 'transient';
  console.log(`the first message: ${message.content.toString()}, ${type}, ${contentType}, ${mode}`);

  const { messageCount } = await channel.deleteQueue(queue);
  console.log(`deleting the queue removed the other ${messageCount} messages`);
  await connection.close();

  assert.equal(message.content.toString(), '{"orderNumber":4711}');
  assert.equal(mode, 'persistent');
  assert.ok(full > 0, 'The write buffer was never full.');
  assert.equal(messageCount, 2999);
}

void main();
