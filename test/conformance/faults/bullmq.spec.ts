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
    ['the NaN of Python', '{"n": NaN}'],
    ['no text', Buffer.from([0xff, 0x00, 0xfe, 0x7b])],
  ])('a message whose data are %s is a dead letter at once with its bytes, and its neighbour runs', async (_, data) => {
    const job = plainJob();
    core = await startCore([[job, () => Promise.resolve(done({ n: 1 }))]], {
      harness: bullmqHarness('bullmq-redis', url, true),
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
    // A lease is 2 s long.
    expect(performance.now() - startedAt).toBeLessThan(1_900);
    const { rows } = await pool.query<{ reason: string; raw: Buffer }>('SELECT reason, raw FROM dead_letter');
    expect(rows).toEqual([{ reason: 'malformed', raw: Buffer.from(data as Buffer) }]);
    expect(letters).toBe(1);
  });

  it('a worker that cannot take messages from a queue says so, until it can', async () => {
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
        () => readQueueReaders(pool),
        ([readers]) => readers?.failing === failing,
      );
    const [down] = await said('it cannot', 1);
    expect(down).toMatchObject({ broker: 'bullmq', queue: job.queue, workers: 1 });
    expect(down!.trouble).toContain('WRONGTYPE');
    await redis.del(limiter);
    await said('it can again', 0);
    await worker.drain();
    expect(await readQueueReaders(pool)).toEqual([]);
  });
});
