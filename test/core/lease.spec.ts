import { setTimeout as delay } from 'node:timers/promises';
import { done, type JobContext } from '@app/messaging';
import { settle } from '@app/persistence';
import { startCore, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';
import { until } from '../support/until';

describe('the lease is the recovery', () => {
  let core: Core;

  afterEach(() => core.close());

  it('a handler that takes many times the lease keeps its job', async () => {
    const job = plainJob();
    let runs = 0;
    const handle = async () => {
      runs += 1;
      await delay(1_500); // The work itself: five leases long.
      return done({ n: 1 });
    };
    core = await startCore([[job, handle]], { leaseMs: 300, heartbeatMs: 50, sweepMs: 20 });
    const ended = core.next('settled');
    const id = await core.enqueue(job, { n: 1 });
    await ended;
    expect(runs).toBe(1);
    expect(await core.read(id)).toMatchObject({ state: 'completed', attempt: 1 });
  });

  it('a worker that fell silent loses its job to the next, and its late result is not written', async () => {
    const job = plainJob();
    const woken: (() => void)[] = [];
    const handle = async () => {
      const run = woken.length;
      await new Promise<void>((resolve) => woken.push(resolve));
      return done({ n: run });
    };
    // No heartbeat within the test: the worker is alive, but nobody hears of it.
    core = await startCore([[job, handle]], { leaseMs: 300, heartbeatMs: 600_000, sweepMs: 20 });
    const swept = core.next('swept');
    const id = await core.enqueue(job, { n: 1 });
    await swept;
    await until(
      'the second run',
      () => Promise.resolve(woken.length),
      (runs) => runs === 2,
    );

    const fenced = core.next('fenced');
    woken[0]!();
    await fenced;
    expect(await core.read(id)).toMatchObject({ state: 'active', attempt: 2, result: null });
    const settled = core.next('settled');
    woken[1]!();
    await settled;
    expect(await core.read(id)).toMatchObject({ state: 'completed', attempt: 2, result: { n: 1 } });
  });

  it('a handler is told at once when the heartbeat finds its lease lost', async () => {
    const job = plainJob();
    const aborted = new Promise<string>((resolve) => {
      const handle = (_: unknown, { signal }: JobContext) =>
        new Promise<never>((_resolve, reject) =>
          signal.addEventListener('abort', () => {
            resolve((signal.reason as Error).message);
            reject(signal.reason as Error);
          }),
        );
      void startCore([[job, handle]], { leaseMs: 60_000, heartbeatMs: 50, sweepMs: 20 }).then(async (started) => {
        core = started;
        const claimed = core.next('claimed');
        const id = await core.enqueue(job, { n: 1 });
        await claimed;
        // Somebody else has settled it, as after a sweep.
        await settle(core.pool, [
          { id, dispatch: 1, state: 'completed', delayMs: 0, attemptChange: 0, result: { n: 9 }, error: undefined },
        ]);
      });
    });
    expect(await aborted).toContain('lease ran out');
  });

  it('a job that takes its worker down at every attempt becomes a dead letter', async () => {
    const job = plainJob({ attempts: 2 });
    const silent = () => new Promise<never>(() => undefined);
    core = await startCore([[job, silent]], { leaseMs: 200, heartbeatMs: 600_000, sweepMs: 20, graceMs: 0 });
    const last = core.next('swept', ({ state }) => state === 'failed');
    const id = await core.enqueue(job, { n: 1 });
    await last;
    expect(await core.read(id)).toMatchObject({ state: 'failed', attempt: 2, error: { code: 'lease_expired' } });
    const { rows } = await core.pool.query('SELECT job_id, reason FROM dead_letter');
    expect(rows).toEqual([{ job_id: id, reason: 'lease_expired' }]);
  });
});
