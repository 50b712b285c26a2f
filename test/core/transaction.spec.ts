import { z } from 'zod';
import { done, retry, type JobContext } from '@app/messaging';
import { startCore, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';
import { refuseOnce } from '../support/refuse-once';
import { until } from '../support/until';

describe('ctx.transaction', () => {
  let core: Core;

  afterEach(() => core.close());

  async function effects(): Promise<number> {
    const { rows } = await core.pool.query<{ count: number }>('SELECT count(*)::int AS count FROM effect');
    return rows[0]!.count;
  }

  async function start(
    handle: (run: number, context: JobContext) => Promise<ReturnType<typeof done> | ReturnType<typeof retry>>,
    options = {},
  ) {
    const job = plainJob();
    let runs = 0;
    core = await startCore([[job, (_, context) => handle((runs += 1), context)]], options);
    await core.pool.query('CREATE TABLE effect (run int)');
    return job;
  }

  it('commits effect, dedupe row and completion together', async () => {
    const job = await start((run, { transaction }) =>
      transaction(async (tx) => {
        await tx.$executeRaw`INSERT INTO effect VALUES (${run})`;
        return done({ n: run });
      }),
    );
    const settled = core.next('settled');
    const id = await core.enqueue(job, { n: 1 });
    await settled;
    expect(await core.read(id)).toMatchObject({ state: 'completed', result: { n: 1 }, progress: { percent: 100 } });
    expect(await effects()).toBe(1);
    expect((await core.pool.query('SELECT * FROM processed_message')).rows).toHaveLength(1);
  });

  it('rolls the effect back when the handler throws, and the next attempt writes it once', async () => {
    const job = await start((run, { transaction }) =>
      transaction(async (tx) => {
        await tx.$executeRaw`INSERT INTO effect VALUES (${run})`;
        if (run === 1) throw new Error('after the effect');
        return done({ n: run });
      }),
    );
    const settled = core.next('settled', (_, { state }) => state === 'completed');
    await core.enqueue(job, { n: 1 });
    await settled;
    expect(await effects()).toBe(1);
  });

  it('rolls the effect back for any outcome other than done', async () => {
    const job = await start((run, { transaction }) =>
      transaction(async (tx) => {
        await tx.$executeRaw`INSERT INTO effect VALUES (${run})`;
        return run === 1 ? retry('not yet', '10ms') : done({ n: run });
      }),
    );
    const settled = core.next('settled', (_, { state }) => state === 'completed');
    await core.enqueue(job, { n: 1 });
    await settled;
    expect(await effects()).toBe(1);
  });

  it.each([
    ['before', [0, 1]],
    ['after', [1, 0]],
  ])(
    'rejects the effect of a worker whose lease expired, when it resumes %s the next worker has committed',
    async (_, order) => {
      const woken: (() => void)[] = [];
      const job = await start(
        async (run, { transaction }) => {
          await new Promise<void>((resolve) => woken.push(resolve));
          return transaction(async (tx) => {
            await tx.$executeRaw`INSERT INTO effect VALUES (${run})`;
            return done({ n: run });
          });
        },
        { leaseMs: 200, heartbeatMs: 600_000, sweepMs: 20 },
      );
      const id = await core.enqueue(job, { n: 1 });
      await until(
        'the second run',
        () => Promise.resolve(woken.length),
        (runs) => runs === 2,
      );
      const fenced = core.next('fenced');
      const settled = core.next('settled');
      for (const run of order) {
        woken[run]!();
        await (run === 0 ? fenced : settled);
      }
      expect(await effects()).toBe(1);
      expect(await core.read(id)).toMatchObject({ state: 'completed', result: { n: 2 } });
    },
  );

  it('rolls the effect back when the result does not match the schema', async () => {
    const job = await start((run, { transaction }) =>
      transaction(async (tx) => {
        await tx.$executeRaw`INSERT INTO effect VALUES (${run})`;
        return done({ m: run });
      }),
    );
    const settled = core.next('settled');
    const id = await core.enqueue(job, { n: 1 });
    await settled;
    expect(await effects()).toBe(0);
    expect(await core.read(id)).toMatchObject({ state: 'failed', error: { code: 'result_invalid' } });
  });

  it('fails a job at the first attempt and rolls the effect back when the result cannot be stored', async () => {
    const circle: unknown[] = [];
    circle.push(circle);
    const results = ['a\0b', 'a\ud800b', { 'a\0b': 1 }, 1n, circle];
    const job = { ...plainJob(), result: z.any() };
    core = await startCore([
      [
        job,
        ({ payload }, { transaction }) =>
          transaction(async (tx) => {
            const { n } = payload as { n: number };
            await tx.$executeRaw`INSERT INTO effect VALUES (${n})`;
            return done(results[n]);
          }),
      ],
    ]);
    await core.pool.query('CREATE TABLE effect (run int)');
    for (const [n] of results.entries()) {
      const settled = core.next('settled');
      const id = await core.enqueue(job, { n });
      await settled;
      expect(await core.read(id)).toMatchObject({
        state: 'failed',
        attempt: 1,
        error: { code: 'result_not_storable', message: expect.stringContaining('The handler') },
      });
    }
    expect(await effects()).toBe(0);
  });

  it('retries after a data exception that the result did not cause', async () => {
    const job = await start((run, { transaction }) => transaction(() => Promise.resolve(done({ n: run }))));
    await refuseOnce(core.pool, '22P02', 'invalid input syntax for type bigint');
    const settled = core.next('settled', (_, { state }) => state !== 'queued');
    const id = await core.enqueue(job, { n: 1 });
    await settled;
    expect(await core.read(id)).toMatchObject({ state: 'completed', attempt: 2, result: { n: 2 } });
  });
});
