/**
 * `@RabbitSubscribe` of @golevelup/nestjs-rabbitmq: a handler that throws gets its message again, for ever.
 *
 * The decorator declares the queue, binds it and consumes from it. A handler that returns means ack. A handler that
 * throws means nack with requeue, unless `errorHandler` says otherwise: RabbitMQ delivers the message again at once, as
 * fast as the handler can throw. A classic queue counts nothing: `redelivered` is true, and that is all. A quorum queue
 * of RabbitMQ 4 stops after 20 deliveries, and drops the message if it has no dead-letter exchange.
 * Malformed JSON throws before the handler is called, and goes the same way.
 * The right way: an `errorHandler` and a dead-letter exchange on every subscription. Still unsolved: the dead letter does
 * not hold the error, and there is no retry with a pause (rabbitmq/retry.ts).
 *
 * Needs: rabbitmq
 * Expect:
 *   default: thrown 1,000 times for one message, in … ms
 *   default: redelivered true, counted by the broker: no
 *   with an errorHandler: thrown 1 time
 *   dead: {"number":2}, because: rejected
 *   dead: {"number":, because: rejected
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { AmqpConnection, defaultNackErrorHandler, RabbitMQModule, RabbitSubscribe } from '@golevelup/nestjs-rabbitmq';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { ConsumeMessage } from 'amqplib';

const uri = process.env.RABBITMQ_URL || 'amqp://localhost:5672';
const exchange = `example-subscribe-${randomUUID()}`;
const [usualQueue, guardedQueue, deadQueue] = [`${exchange}-usual`, `${exchange}-guarded`, `${exchange}-dead`];
const enough = 1_000;

@Injectable()
class Orders {
  readonly events = new EventEmitter();
  thrown = { usual: 0, guarded: 0 };

  /** As most teams write it. Without the limit of this example it would throw for ever. */
  @RabbitSubscribe({ exchange, routingKey: 'usual', queue: usualQueue })
  async handleUsual(order: { number: number }, message: ConsumeMessage): Promise<void> {
    if (this.thrown.usual < enough) {
      this.thrown.usual += 1;
      throw new Error(`no stock for order ${order.number}`);
    }
    this.events.emit('enough', message);
  }

  @RabbitSubscribe({
    exchange,
    routingKey: 'guarded',
    queue: guardedQueue,
    // The default exchange routes by the name of the queue.
    queueOptions: { deadLetterExchange: '', deadLetterRoutingKey: deadQueue },
    errorHandler: defaultNackErrorHandler, // nack without requeue
  })
  async handleGuarded(order: { number: number }): Promise<void> {
    this.thrown.guarded += 1;
    throw new Error(`no stock for order ${order.number}`);
  }
}

@Module({
  imports: [
    RabbitMQModule.forRoot({
      uri,
      exchanges: [{ name: exchange, type: 'direct' }],
      queues: [{ name: deadQueue }],
      defaultPublishOptions: { persistent: true }, // Messages are not persistent by default.
    }),
  ],
  providers: [Orders],
})
class AppModule {}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const amqp = app.get(AmqpConnection);
  const orders = app.get(Orders);

  const loopEnd = once(orders.events, 'enough');
  const startedAt = performance.now();
  await amqp.publish(exchange, 'usual', { number: 1 });
  const [{ fields, properties }] = (await loopEnd) as [ConsumeMessage];
  const tookMs = Math.round(performance.now() - startedAt);
  const counted: unknown = properties.headers?.['x-delivery-count'] ?? properties.headers?.['x-death'];
  console.log(`default: thrown ${enough.toLocaleString('en')} times for one message, in ${tookMs} ms`);
  console.log(`default: redelivered ${fields.redelivered}, counted by the broker: ${counted ? 'yes' : 'no'}`);

  await amqp.publish(exchange, 'guarded', { number: 2 });
  await amqp.publish(exchange, 'guarded', Buffer.from('{"number":'));
  const dead: string[] = [];
  const reasons: unknown[] = [];
  while (dead.length < 2) {
    const message = await amqp.channel.get(deadQueue, { noAck: true });
    if (!message) {
      await delay(20);
      continue;
    }
    dead.push(message.content.toString());
    reasons.push(message.properties.headers?.['x-death']?.[0]?.reason);
  }
  console.log(`with an errorHandler: thrown ${orders.thrown.guarded} time`);
  dead.forEach((body, place) => console.log(`dead: ${body}, because: ${String(reasons[place])}`));

  for (const queue of [usualQueue, guardedQueue, deadQueue]) await amqp.channel.deleteQueue(queue);
  await amqp.channel.deleteExchange(exchange);
  await app.close();

  assert.deepEqual(orders.thrown, { usual: enough, guarded: 1 });
  assert.deepEqual([fields.redelivered, counted], [true, undefined]);
  assert.deepEqual(dead.sort(), ['{"number":', '{"number":2}']);
  assert.deepEqual(reasons, ['rejected', 'rejected']);
}

void main();
