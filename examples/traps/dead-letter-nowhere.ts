/**
 * Trap: a dead letter that finds no queue is dropped, without an error and without a line in the log.
 *
 * RabbitMQ accepts a queue whose dead-letter exchange does not exist: the exchange may be declared later. If it is
 * misspelt, a rejected message leaves its queue and is gone. The same happens when the exchange has no binding.
 * Before 3.12 there is a third case: a message that is dead-lettered into a stream is lost, although a message that is
 * published to the stream arrives. (Its source has an empty branch for it until 3.11.)
 * The cure: declare the exchange, its queue and the binding before the work queue, and reject one message as a test.
 *
 * Needs: rabbitmq
 * Expect:
 *   wrong: the exchange does not exist: 3 rejected, 0 in the work queue, 0 in the dead-letter queue
 *   right: the exchange has a queue: 3 rejected, 0 in the work queue, 3 in the dead-letter queue
 *   a check at the start finds the missing exchange: 404 …
 *   into a stream, on RabbitMQ …: 3 rejected, 0 in the work queue, … in the stream
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type Channel, type ConfirmChannel, type ConsumeMessage } from 'amqplib';

const url = process.env.RABBITMQ_URL || 'amqp://localhost:5672';
const name = `example-nowhere-${randomUUID()}`;
const [work, dead, stream] = [`${name}-work`, `${name}-dead`, `${name}-stream`];

/** Rejects three messages of a queue with this dead-letter exchange. @returns how many the work queue holds then */
async function rejectThree(channel: ConfirmChannel, exchange: string, routingKey = ''): Promise<number> {
  await channel.assertQueue(work, {
    durable: true,
    arguments: { 'x-dead-letter-exchange': exchange, 'x-dead-letter-routing-key': routingKey },
  });
  for (let number = 1; number <= 3; number += 1) channel.sendToQueue(work, Buffer.from(`order ${number}`));
  await channel.waitForConfirms();
  let rejected = 0;
  const { consumerTag } = await channel.consume(work, (message) => {
    if (!message) return;
    channel.nack(message, false, false);
    rejected += 1;
  });
  while (rejected < 3) await delay(10);
  await channel.cancel(consumerTag);
  const { messageCount } = await channel.checkQueue(work);
  await channel.deleteQueue(work);
  return messageCount;
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  await channel.assertExchange(dead, 'fanout', { durable: true });
  await channel.assertQueue(dead, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await channel.bindQueue(dead, dead, '');
  const deadLetters = async (): Promise<number> => (await channel.checkQueue(dead)).messageCount;

  // Wrong: one letter is missing. RabbitMQ declares the queue without a word.
  const leftOfWrong = await rejectThree(channel, `${name}-dea`);
  await delay(300);
  const arrivedOfWrong = await deadLetters();
  console.log(
    `wrong: the exchange does not exist: 3 rejected, ${leftOfWrong} in the work queue, ${arrivedOfWrong} in the dead-letter queue`,
  );

  // Right: the exchange exists, and a queue is bound to it.
  const leftOfRight = await rejectThree(channel, dead);
  while ((await deadLetters()) < 3) await delay(20);
  console.log(
    `right: the exchange has a queue: 3 rejected, ${leftOfRight} in the work queue, 3 in the dead-letter queue`,
  );

  const asking = await connection.createChannel(); // The error closes the channel that asks.
  asking.on('error', () => undefined);
  const refusal = await asking.checkExchange(`${name}-dea`).then(
    () => 'it exists',
    (error: unknown) => String((error as { code?: number }).code),
  );
  console.log(`a check at the start finds the missing exchange: ${refusal} NOT_FOUND`);

  const { version } = connection.connection.serverProperties as { version: string };
  await channel.assertQueue(stream, { durable: true, arguments: { 'x-queue-type': 'stream' } });
  const leftOfStream = await rejectThree(channel, '', stream);
  const [major, minor] = version.split('.').map(Number) as [number, number];
  const inStream = await read(await connection.createChannel(), major === 3 && minor < 12 ? 0 : 3);
  console.log(
    `into a stream, on RabbitMQ ${version}: 3 rejected, ${leftOfStream} in the work queue, ${inStream} in the stream`,
  );
  await channel.deleteQueue(stream);
  await channel.deleteQueue(dead);
  await channel.deleteExchange(dead);
  await connection.close();

  assert.deepEqual([leftOfWrong, arrivedOfWrong, leftOfRight, leftOfStream], [0, 0, 0, 0]);
  assert.equal(refusal, '404');
  assert.equal(inStream, major === 3 && minor < 12 ? 0 : 3);
}

/** Publishes a message to the stream and reads until it has come. @returns how many dead letters have come as well */
async function read(channel: Channel, atLeast: number): Promise<number> {
  const come: string[] = [];
  await channel.prefetch(10); // A stream delivers nothing without a prefetch.
  const take = (message: ConsumeMessage | null): void => {
    if (!message) return;
    come.push(message.content.toString());
    channel.ack(message);
  };
  await channel.consume(stream, take, { arguments: { 'x-stream-offset': 'first' } });
  channel.sendToQueue(stream, Buffer.from('published'));
  while (!come.includes('published') || come.length - 1 < atLeast) await delay(20);
  await channel.close();
  return come.length - 1;
}

void main();
