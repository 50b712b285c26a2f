/**
 * Trap: a publish that reaches no queue resolves, and its message is gone.
 *
 * RabbitMQ confirms a message that no binding matches: for the broker it is handled. A misspelt routing key, a queue
 * that is not declared yet or a binding that was deleted loses messages without an error. golevelup's `publish` resolves
 * with `true` for such a message.
 * The cure: `mandatory`. RabbitMQ then returns the message before it confirms it. The listener belongs into `addSetup`,
 * which runs again for the new channel after a reconnect. An alternate exchange on the broker is the other way: it
 * keeps what was not routed.
 *
 * Needs: rabbitmq
 * Expect:
 *   wrong: resolved with true, 0 messages in the queue
 *   right: rejected: NO_ROUTE, order.creatd
 *   right: resolved, 1 message in the queue
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import type { ConfirmChannel, Message } from 'amqplib';

const uri = process.env.RABBITMQ_URL || 'amqp://localhost:5672';
const name = `example-unroutable-${randomUUID()}`;
const nothing = (): void => undefined;
const logger = { log: nothing, error: nothing, warn: nothing };

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const connection = new AmqpConnection({
    uri,
    logger,
    exchanges: [{ name, type: 'topic', options: { autoDelete: true } }],
    queues: [{ name, exchange: name, routingKey: 'order.created', options: { durable: true } }],
  });
  await connection.init();
  const messages = async (): Promise<number> => (await connection.channel.checkQueue(name)).messageCount;

  // Wrong: the routing key is misspelt.
  const answer = await connection.publish(name, 'order.creatd', { order: 4711 });
  const arrived = await messages();
  console.log(`wrong: resolved with ${answer}, ${arrived} messages in the queue`);

  // Right: ask for the message back, and count a returned one as failed.
  const returned = new Map<string, string>();
  await connection.managedChannel.addSetup(async (channel: ConfirmChannel) => {
    channel.on('return', ({ fields, properties }: Message & { fields: { replyText: string } }) => {
      returned.set(String(properties.messageId), `${fields.replyText}, ${fields.routingKey}`);
    });
  });
  async function publish(routingKey: string, message: unknown): Promise<void> {
    const messageId = randomUUID();
    await connection.publish(name, routingKey, message, { persistent: true, mandatory: true, messageId });
    const reason = returned.get(messageId); // The return comes before the confirm.
    returned.delete(messageId);
    if (reason !== undefined) throw new Error(reason);
  }
  const rejection = await publish('order.creatd', { order: 4711 }).then(
    () => 'none',
    (error: unknown) => (error as Error).message,
  );
  console.log(`right: rejected: ${rejection}`);
  await publish('order.created', { order: 4711 });
  const stored = await messages();
  console.log(`right: resolved, ${stored} message in the queue`);

  await connection.channel.deleteQueue(name);
  await connection.close();

  assert.deepEqual([answer, arrived], [true, 0]);
  assert.deepEqual([rejection, stored], ['NO_ROUTE, order.creatd', 1]);
}

void main();
