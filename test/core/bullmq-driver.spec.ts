import { Test, type TestingModule } from '@nestjs/testing';
import { v7 as uuidv7 } from 'uuid';
import {
  BullmqDriver,
  BullmqDriverModule,
  encodeMessage,
  topologyOf,
  type Delivery,
  type JobMessage,
} from '@app/messaging';
import { freshDatabase, type TestDatabase } from '../support/postgres';
import { plainJob } from '../support/plain-job';
import { onEachBackend } from '../support/system';
import { until } from '../support/until';

onEachBackend('the BullMQ driver', (backend) => {
  let database: TestDatabase;
  let publisher: TestingModule;
  let consumer: TestingModule | undefined;
  const job = { ...plainJob({ concurrency: 1 }), broker: 'bullmq' as const };

  const settings = () => ({
    redisUrl: backend === 'bullmq-redis' ? process.env['TEST_REDIS_URL'] : undefined,
    databaseUrl: database.url,
    prefix: `${job.queue}-${process.pid}`,
    leaseMs: 2_000,
  });

  const start = (use: 'consume' | 'publish', rateLimit?: { max: number; perMs: number }) =>
    Test.createTestingModule({
      imports: [BullmqDriverModule.register(settings(), 'test', topologyOf([{ ...job, rateLimit }]), use)],
    })
      .compile()
      .then((module) => module.init());

  beforeEach(async () => {
    database = await freshDatabase();
    publisher = await start('publish');
    await publisher.get(BullmqDriver).queueReady();
  });

  afterEach(async () => {
    for (const module of [consumer, publisher]) {
      await module?.get(BullmqDriver).close();
      await module?.close();
    }
    consumer = undefined;
    await database.drop();
  });

  const message = (priority: number, dispatch = 1, id = uuidv7()): JobMessage => ({
    ...job,
    id,
    dispatch,
    priority,
    traceparent: undefined,
  });

  /** Takes everything there is, one after the other. */
  async function consume(count: number, rateLimit?: { max: number; perMs: number }): Promise<[Delivery, number][]> {
    const deliveries: [Delivery, number][] = [];
    consumer = await start('consume', rateLimit);
    await consumer.get(BullmqDriver).subscribe(job.queue, (delivery) => {
      deliveries.push([delivery, performance.now()]);
      return Promise.resolve();
    });
    await until(
      `${count} deliveries`,
      () => Promise.resolve(deliveries.length),
      (length) => length >= count,
    );
    return deliveries;
  }

  it('hands over what was published, high priority first, then in order', async () => {
    const messages = [message(3), message(2), message(1), message(2), message(1)];
    const driver = publisher.get(BullmqDriver);
    await driver.publish(messages);
    expect(await driver.depth(job.queue)).toBe(5);

    const deliveries = await consume(5);
    const inOrder = [2, 4, 1, 3, 0].map((index) => encodeMessage(messages[index]!));
    expect(deliveries.map(([{ body }]) => body)).toEqual(inOrder);
    await until(
      'an empty queue',
      () => driver.depth(job.queue),
      (depth) => depth === 0,
    );
  });

  it('holds a dispatch once, however often it is published; the next dispatch is another message', async () => {
    const id = uuidv7();
    const driver = publisher.get(BullmqDriver);
    for (let copy = 0; copy < 3; copy += 1) await driver.publish([message(2, 1, id)]);
    await driver.publish([message(2, 2, id)]);
    expect(await driver.depth(job.queue)).toBe(2);
  });

  it('keeps the rate limit of the queue', async () => {
    await publisher.get(BullmqDriver).publish(Array.from({ length: 7 }, () => message(2)));
    const deliveries = await consume(7, { max: 2, perMs: 300 });
    const times = deliveries.map(([, at]) => at);
    // Seven at two in 300 ms: the last three pairs had to wait for the ones before them.
    expect(times.at(-1)! - times[0]!).toBeGreaterThanOrEqual(800);
  });
});
