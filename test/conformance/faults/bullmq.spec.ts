import { Redis } from 'ioredis';
import { done } from '@app/messaging';
import { readQueueReaders } from '@app/ledger';
import { bullmqHarness } from '../harness/bullmq';
import { startCore, type Core } from '../../support/core';
import { plainJob } from '../../support/plain-job';
import { until } from '../../support/until';

const url = process.env['TEST_REDIS_URL'];

(url === undefined ? describe.skip : describe)('on bullmq-redis', () => {
  let core: Core | undefined;
  let redis: Redis;

  beforeEach(() => {
    redis = new Redis(url!);
  });

  afterEach(async () => {
    redis.disconnect();
    await core?.close();
  });

  it.each([
    ['NaN, as Python writes it,', '{"n": NaN}'],
    ['bytes that are not text', Buffer.from([0xff, 0x00, 0xfe, 0x7b])],
  ])(
    'a message with %s as data is dead-lettered at once with its bytes, and the job behind it runs',
    async (_, data) => {
      const job = plainJob();
      const leaseMs = 20_000;
      core = await startCore([[job, () => Promise.resolve(done({ n: 1 }))]], {
        harness: bullmqHarness('bullmq-redis', url, true, leaseMs),
        worker: false,
      });
      const { pool, driver, broker, worker, signals } = core;
      await broker.publishRaw(job.queue, { hello: 'world' });
      const [key] = await redis.keys(`*:${job.queue}:1`);
      await redis.hset(key!, 'data', data);
      const neighbour = core.next('settled');
      await core.enqueue(job, { n: 1 });
      let letters = 0;
      signals.on('dead_lettered', () => (letters += 1));
      const startedAt = performance.now();
      await worker.start();
      await neighbour;
      await until(
        'nothing is left',
        () => driver.depth(job.queue),
        (depth) => depth === 0,
      );
      expect(performance.now() - startedAt).toBeLessThan(leaseMs);
      const { rows } = await pool.query<{ reason: string; raw: Buffer }>('SELECT reason, raw FROM dead_letter');
      expect(rows).toEqual([{ reason: 'malformed', raw: Buffer.from(data as Buffer) }]);
      expect(letters).toBe(1);
    },
  );

  it('a worker that cannot read a queue reports the error until it can read the queue again', async () => {
    const job = plainJob({ rateLimit: { max: 1_000, perMs: 1_000 } });
    core = await startCore([[job, () => Promise.resolve(done({ n: 1 }))]], {
      harness: bullmqHarness('bullmq-redis', url, true),
      worker: false,
    });
    const { pool, worker } = core;
    const [meta] = await redis.keys(`*:${job.queue}:meta`);
    const limiter = meta!.replace(/meta$/, 'limiter');
    await redis.rpush(limiter, 'a list where BullMQ expects a number');
    await worker.start();
    const said = (what: string, failing: number) =>
      until(
        what,
        () => readQueueReaders.run(pool),
        ([readers]) => readers?.failing === failing,
      );
    const [down] = await said('it cannot', 1);
    expect(down).toMatchObject({ broker: 'bullmq', queue: job.queue, workers: 1 });
    expect(down!.trouble).toContain('WRONGTYPE');
    await redis.del(limiter);
    await said('it can again', 0);
    await worker.drain();
    expect(await readQueueReaders.run(pool)).toEqual([]);
  });
});
