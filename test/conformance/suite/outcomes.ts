import { z } from 'zod';
import { fixed, type JobDefinition } from '@app/contracts';
import { done, fail, snooze, type JobContext, type Outcome } from '@app/messaging';
import { redrive, type JobRecord } from '@app/ledger';
import type { Core } from '../../support/core';
import { plainJob } from '../../support/plain-job';
import { until } from '../../support/until';
import type { Suite } from '../conformance';

/** The outcome of a handler decides what becomes of its job. */
export function outcomes({ scenario, start }: Suite): void {
  let core: Core;
  let runs: number;

  type Handle = (attempt: number, context: JobContext) => Outcome | Promise<Outcome>;

  async function run(handle: Handle, overrides: Parameters<typeof plainJob>[0] = {}): Promise<JobRecord> {
    const job = plainJob(overrides);
    runs = 0;
    core = await start([[job, (_, context) => Promise.resolve().then(() => handle((runs += 1), context))]]);
    return runToTheEnd(job);
  }

  async function runToTheEnd(job: JobDefinition): Promise<JobRecord> {
    const ended = core.next('settled', (_, { state }) => state !== 'queued');
    const id = await core.enqueue(job, { n: 1 });
    await ended;
    return core.read(id);
  }

  const deadLetters = async () =>
    (await core.pool.query('SELECT job_id, reason, detail, raw FROM dead_letter ORDER BY created_at')).rows;

  scenario('delivers', async () => {
    const job = await run(() => done({ n: 42 }));
    expect(job).toMatchObject({ state: 'completed', attempt: 1, result: { n: 42 }, error: null });
    expect(job.progress.percent).toBe(100);
    const { rows } = await core.pool.query('SELECT consumer, message_id FROM processed_message');
    expect(rows).toEqual([{ consumer: job.kind, message_id: job.id }]);
    expect(runs).toBe(1);
  });

  scenario('retries-then-succeeds', async () => {
    const started: number[] = [];
    const job = await run(
      (attempt) => {
        started.push(performance.now());
        if (attempt <= 2) throw new Error('the server was away');
        return done({ n: 42 });
      },
      { retry: { ...fixed({ attempts: 5, delay: '150ms' }), type: 'exponential', maxMs: 250 } },
    );
    expect(job).toMatchObject({ state: 'completed', attempt: 3, error: null });
    expect(started[1]! - started[0]!).toBeGreaterThanOrEqual(150);
    expect(started[2]! - started[1]!).toBeGreaterThanOrEqual(250);
  });

  scenario('jitters-the-back-off', async () => {
    const delays: number[] = [];
    const failing = plainJob({ retry: { ...fixed({ attempts: 2, delay: '2s' }), jitter: 'full' }, concurrency: 30 });
    core = await start([[failing, () => Promise.reject(new Error('no'))]], { relay: true });
    const allTried = core.next('settled', (_, { state, delayMs }) => state === 'queued' && delays.push(delayMs) === 30);
    for (let n = 0; n < 30; n += 1) await core.enqueue(failing, { n });
    await allTried;
    expect(new Set(delays).size).toBeGreaterThan(20);
    expect(Math.min(...delays)).toBeLessThan(1_000);
    expect(Math.max(...delays)).toBeGreaterThan(1_000);
    expect(Math.max(...delays)).toBeLessThanOrEqual(2_000);
  });

  scenario('dead-letter-after-last-attempt', async () => {
    const job = await run(() => {
      throw new Error('the server is gone\0');
    });
    expect(runs).toBe(3);
    const detail = 'Attempt 3 of 3: the server is gone';
    expect(job).toMatchObject({ state: 'failed', attempt: 3, error: { code: 'attempts_exhausted', message: detail } });
    expect(await deadLetters()).toEqual([{ job_id: job.id, reason: 'attempts_exhausted', detail, raw: null }]);
  });

  scenario('dead-letter-on-fail', async () => {
    const job = await run(() => fail('no such address'));
    expect(runs).toBe(1);
    expect(job).toMatchObject({ state: 'failed', error: { code: 'refused_by_handler', message: 'no such address' } });
    expect(await deadLetters()).toMatchObject([{ job_id: job.id, reason: 'refused_by_handler' }]);
  });

  scenario('snoozes', async () => {
    const job = await run((attempt) => (attempt <= 4 ? snooze('10ms') : done({ n: 1 })), { attempts: 1 });
    expect(runs).toBe(5);
    expect(job).toMatchObject({ state: 'completed', attempt: 1 });
  });

  scenario('refuses-a-wrong-result', async () => {
    const job = plainJob();
    const text = { ...plainJob(), result: z.string() };
    core = await start([
      [job, () => Promise.resolve(done({ m: 63 }))],
      [text, () => Promise.resolve(done('PostgreSQL takes no \0'))],
    ]);
    expect(await runToTheEnd(job)).toMatchObject({ state: 'failed', error: { code: 'result_invalid' } });
    expect(await runToTheEnd(text)).toMatchObject({ state: 'failed', error: { code: 'result_not_storable' } });
  });

  scenario('times-out', async () => {
    const job = await run(
      async (attempt, { signal }) => {
        if (attempt > 1) return done({ n: attempt });
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
        throw new Error('not reached');
      },
      { timeoutMs: 200 },
    );
    expect(job).toMatchObject({ state: 'completed', attempt: 2, result: { n: 2 } });
    const { rows } = await core.pool.query(
      `SELECT data->'error'->>'code' AS code FROM job_update WHERE data ? 'error'`,
    );
    expect(rows).toEqual([{ code: 'timed_out' }]);
  });

  scenario('reports-progress', async () => {
    const job = plainJob();
    let finish!: () => void;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const handle = async (_: unknown, { progress }: JobContext) => {
      progress(40, 'two of five');
      await finished;
      return done({ n: 1 });
    };
    core = await start([[job, handle]]);
    const id = await core.enqueue(job, { n: 1 });
    await until(
      'the progress is on the job',
      () => core.read(id),
      ({ progress }) => progress.percent === 40 && progress.note === 'two of five',
    );
    const settled = core.next('settled');
    finish();
    await settled;
  });

  scenario('redrives', async () => {
    const keys = new Set<string>();
    let mended = false;
    const job = await run(
      (attempt, { effectKey }) => {
        keys.add(effectKey);
        if (mended && attempt > 4) return done({ n: attempt });
        throw new Error('still broken');
      },
      { attempts: 2 },
    );
    expect(job.state).toBe('failed');
    const { rows } = await core.pool.query<{ id: string }>('SELECT id FROM dead_letter');
    const selection = { ids: rows.map(({ id }) => id), kind: undefined, broker: undefined, before: undefined };
    const again = core.next('settled', (_, { state }) => state === 'failed');
    expect(await redrive.run(core.pool, { ...selection, by: 'ada' })).toMatchObject([
      { jobId: job.id, becomes: 'redriven' },
    ]);
    core.wakeUp.request();
    // The job has two attempts again, and both fail. After the next redrive it succeeds.
    await again;
    expect(runs).toBe(4);
    expect(await redrive.run(core.pool, { ...selection, by: 'ada' })).toEqual([]);
    mended = true;
    const ended = core.next('settled');
    const byKind = { ...selection, ids: undefined, kind: job.kind };
    const both = await Promise.all(['ada', 'bob'].map((by) => redrive.run(core.pool, { ...byKind, by })));
    expect(both.flat().filter(({ becomes }) => becomes === 'redriven')).toHaveLength(1);
    core.wakeUp.request();
    await ended;
    expect(await core.read(job.id)).toMatchObject({ state: 'completed', attempt: 1, error: null });
    expect([...keys]).toEqual([job.id]);
  });
}
