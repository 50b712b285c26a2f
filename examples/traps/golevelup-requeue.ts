/**
 * Trap: with golevelup's defaults a handler that throws gets the same message again at once, for ever.
 *
 * @golevelup/nestjs-rabbitmq nacks with requeue after an error (`defaultSubscribeErrorBehavior` is REQUEUE). RabbitMQ
 * redelivers a requeued message at once, so one malformed message uses a whole CPU core, and the log grows with it.
 * An error of the deserializer counts as an error of the handler: bytes that are not JSON loop too.
 * The cure: NACK without requeue for the whole connection, and a dead-letter exchange on the queue. Retries with a
 * pause are a separate mechanism (rabbitmq/retry.ts). The queue is classic: on a quorum queue RabbitMQ ends the loop at
 * the delivery limit (20 by default since 4.0) and, without a dead-letter exchange, drops the message.
 *
 * Needs: rabbitmq
 * Expect:
 *   wrong: one malformed message, 1000 deliveries, and it is still in the queue
 *   right: one malformed message, 1 delivery
 *   right: bytes that are not JSON, 0 deliveries to the handler
 *   right: 2 messages in the dead-letter queue, 0 in the work queue
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { AmqpConnection, MessageHandlerErrorBehavior } from '@golevelup/nestjs-rabbitmq';

const uri = process.env.RABBITMQ_URL || 'amqp://localhost:5672';
const name = `example-golevelup-${randomUUID()}`;
const nothing = (): void => undefined;
const logger = { log: nothing, error: nothing, warn: nothing }; // It logs every error of a handler.

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  // Wrong: the defaults.
  const careless = new AmqpConnection({ uri, logger });
  await careless.init();
  let deliveries = 0;
  const { consumerTag } = await careless.createSubscriber(
    async () => {
      deliveries += 1;
      throw new Error('not an order');
    },
    { queue: `${name}-wrong`, queueOptions: { durable: true } },
    'wrong',
  );
  await careless.publish('', `${name}-wrong`, { total: 'twelve' });
  while (deliveries < 1_000) await delay(5);
  await careless.cancelConsumer(consumerTag);
  while ((await careless.channel.checkQueue(`${name}-wrong`)).messageCount < 1) await delay(20); // Nacked once more.
  console.log('wrong: one malformed message, 1000 deliveries, and it is still in the queue');
  await careless.channel.deleteQueue(`${name}-wrong`);
  await careless.close();

  // Right: nack without requeue, for every handler of the connection, and a place for what was nacked.
  const careful = new AmqpConnection({
    uri,
    logger,
    defaultSubscribeErrorBehavior: MessageHandlerErrorBehavior.NACK,
    queues: [{ name: `${name}-dead`, options: { durable: true } }],
  });
  await careful.init();
  let handled = 0;
  await careful.createSubscriber(
    async () => {
      handled += 1;
      throw new Error('not an order');
    },
    {
      queue: `${name}-right`,
      queueOptions: { durable: true, deadLetterExchange: '', deadLetterRoutingKey: `${name}-dead` },
    },
    'right',
  );
  const deadLetters = async (): Promise<number> => (await careful.channel.checkQueue(`${name}-dead`)).messageCount;

  await careful.publish('', `${name}-right`, { total: 'twelve' });
  while ((await deadLetters()) < 1) await delay(20);
  const afterThrow = handled;
  console.log(`right: one malformed message, ${afterThrow} delivery`);

  await careful.publish('', `${name}-right`, Buffer.from('{ not JSON'));
  while ((await deadLetters()) < 2) await delay(20);
  console.log(`right: bytes that are not JSON, ${handled - afterThrow} deliveries to the handler`);
  const dead = await deadLetters();
  const { messageCount: waiting } = await careful.channel.checkQueue(`${name}-right`);
  console.log(`right: ${dead} messages in the dead-letter queue, ${waiting} in the work queue`);
  await careful.channel.deleteQueue(`${name}-right`);
  await careful.channel.deleteQueue(`${name}-dead`);
  await careful.close();

  assert.deepEqual([handled, dead, waiting], [1, 2, 0]);
}

void main();
