import { connect, type ConfirmChannel } from 'amqplib';
import type { Delivery, JobMessage } from '@app/messaging';
import { RabbitmqDriver } from '@app/messaging/rabbitmq';
import { uniqueName } from '../../support/core';
import { gate } from '../../support/gate';
import { leakGuard } from '../../support/leaks';
import { startProxy, type Proxy } from '../../support/proxy';
import { until } from '../../support/until';

const url = process.env['TEST_RABBITMQ_URL'];

/** Faults between the driver and RabbitMQ, tested at the driver itself. */
(url === undefined ? describe.skip : describe)('on rabbitmq', () => {
  const queue = 'work';
  let prefix: string;
  let proxy: Proxy;
  let drivers: RabbitmqDriver[];
  let assertNothingLeft: () => Promise<void>;

  beforeEach(async () => {
    assertNothingLeft = leakGuard();
    prefix = `${uniqueName()}-${process.pid}.`;
    proxy = await startProxy(Number(new URL(url!).port || 5672));
    drivers = [];
  });

  afterEach(async () => {
    proxy.restore();
    for (const made of drivers) await made.close();
    await plain(async (channel) => {
      for (const name of [queue, 'dead-letters']) await channel.deleteQueue(`${prefix}${name}`);
      for (const name of ['jobs', 'dead-letters', 'census']) await channel.deleteExchange(`${prefix}${name}`);
    });
    await proxy.close();
    await assertNothingLeft();
  });

  async function driver(concurrency = 5): Promise<RabbitmqDriver> {
    const throughProxy = new URL(url!);
    throughProxy.hostname = '127.0.0.1';
    throughProxy.port = String(proxy.port);
    const topology = { queues: [{ queue, concurrency, rateLimit: undefined, partitions: 1 }], events: [] };
    const made = await RabbitmqDriver.connect({ url: throughProxy.href, prefix }, 'test', topology);
    drivers.push(made);
    await made.ready();
    return made;
  }

  /** Runs the work with plain amqplib, not through the proxy, as another service does. */
  async function plain<Result>(work: (channel: ConfirmChannel) => Promise<Result>): Promise<Result> {
    const connection = await connect(url!);
    connection.on('error', () => undefined);
    try {
      return await work(await connection.createConfirmChannel());
    } finally {
      await connection.close();
    }
  }

  let messages = 0;
  const message = (): JobMessage => ({
    id: `019e0000-0000-7000-8000-${String((messages += 1)).padStart(12, '0')}`,
    dispatch: 1,
    kind: 'work.do',
    version: 1,
    queue,
    priority: 2,
    orderKey: null,
    at: new Date(),
    traceparent: null,
  });

  const idOf = ({ body }: Delivery): string => (JSON.parse(String(body)) as { id: string }).id;

  const seen = (what: string, list: readonly unknown[], count: number) =>
    until(
      what,
      () => Promise.resolve(list.length),
      (length) => length >= count,
    );

  it('a publish to an unreachable RabbitMQ fails at once with a typed error, buffers nothing, and succeeds after reconnection', async () => {
    const publisher = await driver();
    proxy.cut();
    await until(
      'the driver knows',
      () =>
        publisher.publish([message()]).then(
          () => undefined,
          (error: unknown) => (error as { code?: string }).code,
        ),
      (code) => code === 'broker_unavailable',
    );
    const heldBefore = process.memoryUsage().heapUsed;
    const startedAt = performance.now();
    for (let n = 0; n < 2_000; n += 1) {
      await expect(publisher.publish(Array.from({ length: 100 }, message))).rejects.toMatchObject({
        code: 'broker_unavailable',
      });
    }
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    expect(process.memoryUsage().heapUsed - heldBefore).toBeLessThan(30 * 1024 * 1024);
    proxy.restore();
    await until(
      'it is back',
      () =>
        publisher.publish([message()]).then(
          () => 'published',
          () => 'away',
        ),
      (answer) => answer === 'published',
    );
    expect(await publisher.depth(queue)).toBe(1);
  });

  it('a publish to a RabbitMQ that stops answering fails within its deadline', async () => {
    const publisher = await driver();
    await publisher.publish([message()]);
    proxy.freeze();
    const startedAt = performance.now();
    await expect(publisher.publish([message()])).rejects.toMatchObject({ code: 'broker_unavailable' });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('a publish of an unroutable message fails, and the next publish finds the binding again', async () => {
    const publisher = await driver();
    await plain((channel) => channel.unbindQueue(`${prefix}${queue}`, `${prefix}jobs`, queue));
    await expect(publisher.publish([message(), message()])).rejects.toMatchObject({ code: 'unroutable' });
    await until(
      'the binding is there again',
      () =>
        publisher.publish([message()]).then(
          () => 'published',
          (error: unknown) => (error as { code: string }).code,
        ),
      (answer) => answer === 'published',
    );
    expect(await publisher.depth(queue)).toBe(1);
  });

  it('consumers resume after a lost connection, a channel error and the deletion of their queue', async () => {
    const [publisher, worker] = [await driver(), await driver()];
    const taken: string[] = [];
    await worker.subscribe(queue, (delivery) => Promise.resolve(void taken.push(idOf(delivery))));
    const comesThrough = async (what: string) => {
      const one = message();
      await until(
        'it is published',
        () =>
          publisher.publish([one]).then(
            () => true,
            () => false,
          ),
        (isPublished) => isPublished,
      );
      await until(
        what,
        () => Promise.resolve(taken.includes(one.id)),
        (isThere) => isThere,
      );
    };
    await comesThrough('at first');

    proxy.cut();
    proxy.restore();
    await comesThrough('after a lost connection');

    // 406 PRECONDITION_FAILED: RabbitMQ closes only the channel.
    const [consumer] = (
      worker as unknown as { consumers: Map<string, { channel: { now(): ConfirmChannel } }> }
    ).consumers.values();
    // Client and server close the connection in order, so no error event is raised.
    await (consumer!.channel.now().connection as unknown as { close(): Promise<void> }).close();
    await comesThrough('after a connection that was closed in order');

    consumer!.channel.now().ack({ fields: { deliveryTag: 4711 } } as never);
    await comesThrough('after a channel error');

    await plain((channel) => channel.deleteQueue(`${prefix}${queue}`));
    await comesThrough('after its queue was deleted');
    await until(
      'all is acknowledged',
      () => publisher.depth(queue),
      (depth) => depth === 0,
    );
  });

  it('a queue that cannot be consumed is reported as trouble until it can be consumed', async () => {
    const worker = await driver();
    // Another service has declared the queue with other arguments.
    await plain(async (channel) => {
      await channel.deleteQueue(`${prefix}${queue}`);
      await channel.assertQueue(`${prefix}${queue}`, { durable: true });
    });
    const taken: string[] = [];
    const subscription = await worker.subscribe(queue, (delivery) => Promise.resolve(void taken.push(idOf(delivery))));
    const trouble = () => Promise.resolve(subscription.trouble ?? 'none');
    await until('it cannot be consumed', trouble, (why) => why.includes('PRECONDITION_FAILED'));
    await plain((channel) => channel.deleteQueue(`${prefix}${queue}`));
    await until('it can be consumed', trouble, (why) => why === 'none');
    await worker.publish([message()]);
    await seen('it is read', taken, 1);
  });

  it('messages in flight on a lost connection are redelivered and acknowledged once', async () => {
    const [publisher, worker] = [await driver(), await driver()];
    const doors = gate();
    const taken: string[] = [];
    await worker.subscribe(queue, async (delivery) => {
      taken.push(idOf(delivery));
      await doors.passed;
    });
    await publisher.publish([message(), message()]);
    await seen('both are in flight', taken, 2);
    proxy.cut();
    proxy.restore();
    await seen('both again', taken, 4);
    doors.open();
    await until(
      'nothing is left',
      () => publisher.depth(queue).catch(() => -1),
      (depth) => depth === 0,
    );
    expect(new Set(taken).size).toBe(2);
  });

  it('a stopped subscription takes no more messages, even after a reconnection', async () => {
    const [publisher, worker] = [await driver(), await driver(2)];
    const doors = gate();
    const taken: string[] = [];
    const subscription = await worker.subscribe(queue, async (delivery) => {
      taken.push(idOf(delivery));
      await doors.passed;
    });
    await publisher.publish(Array.from({ length: 10 }, message));
    await seen('two are in flight', taken, 2);
    await subscription.stop();
    proxy.cut();
    proxy.restore();
    await until(
      'the connection is back',
      () => publisher.depth(queue).catch(() => -1),
      (depth) => depth === 10,
    );
    doors.open();
    await worker.close();
    expect(taken).toHaveLength(2);
    expect(await publisher.depth(queue)).toBe(10);
  });

  it('a message that RabbitMQ gives up after twenty lost deliveries goes back to its queue', async () => {
    const [first, second] = [await driver(), await driver()];
    const innocent = message();
    await first.publish([innocent]);
    // The message is only in flight each time the connection is lost.
    for (let loss = 0; loss < 21; loss += 1) {
      await plain(async (channel) => {
        await new Promise((resolve) => void channel.consume(`${prefix}${queue}`, resolve));
      });
    }
    const taken: Delivery[] = [];
    for (const worker of [first, second]) {
      await worker.subscribe(queue, (delivery) => Promise.resolve(void taken.push(delivery)));
    }
    await seen('it comes again', taken, 1);
    await until(
      'it is acknowledged',
      () => first.depth(queue),
      (depth) => depth === 0,
    );
    expect(taken).toHaveLength(1);
    expect(taken[0]).toMatchObject({ broker: 'rabbitmq', queue });
    expect(taken[0]!.givenUp).toBeUndefined();
    expect(idOf(taken[0]!)).toBe(innocent.id);
  });

  it('a message that another consumer has rejected is delivered as given up', async () => {
    const worker = await driver();
    const one = message();
    await worker.publish([one]);
    await plain(async (channel) => {
      await new Promise<void>((resolve) => {
        void channel.consume(`${prefix}${queue}`, (found) => {
          channel.nack(found!, false, false);
          resolve();
        });
      });
      // RabbitMQ answers in order: after this answer, the message is rejected.
      await channel.checkQueue(`${prefix}${queue}`);
    });
    const taken: Delivery[] = [];
    await worker.subscribe(queue, (delivery) => Promise.resolve(void taken.push(delivery)));
    await seen('it comes', taken, 1);
    expect(taken[0]).toMatchObject({ queue, givenUp: 'rejected' });
    expect(idOf(taken[0]!)).toBe(one.id);
  });

  it('the depth counts messages in flight, and counts a foreign consumer as one with a full prefetch', async () => {
    const [publisher, worker] = [await driver(3), await driver(3)];
    const doors = gate();
    const taken: string[] = [];
    await worker.subscribe(queue, async (delivery) => {
      taken.push(idOf(delivery));
      await doors.passed;
    });
    await publisher.publish(Array.from({ length: 7 }, message));
    await seen('three are in flight', taken, 3);
    expect(await publisher.depth(queue)).toBe(7);
    await plain(async (channel) => {
      await channel.consume(`${prefix}${queue}`, () => undefined);
      // Four messages were ready; a consumer that does not answer the driver now has them.
      expect(await publisher.depth(queue)).toBe(6);
    });
    doors.open();
  });
});
