import type { JobDefinition } from '@app/contracts';
import { done, encodeMessage, type JobContext, type JobMessage } from '@app/messaging';
import { settle } from '@app/ledger';
import { gate } from '../../support/gate';
import { plainJob } from '../../support/plain-job';
import { until } from '../../support/until';
import type { Suite } from '../conformance';

/** Who may run a job: one worker, under one dispatch, while it renews its lease. */
export function claiming({ scenario, start }: Suite): void {
  const messageOf = (job: JobDefinition, id: string, dispatch: number): JobMessage => ({
    ...job,
    id,
    dispatch,
    priority: 2,
    orderKey: null,
    at: new Date(),
    traceparent: null,
  });

  scenario('runs-a-duplicate-publish-once', async () => {
    const job = plainJob({ concurrency: 100 });
    const doors = gate();
    let runs = 0;
    const core = await start([[job, async () => ((runs += 1), await doors.passed, done({ n: 1 }))]], { relay: false });
    const id = await core.enqueue(job, { n: 1 });
    let stale = 0;
    core.signals.on('stale', () => (stale += 1));
    const raw = () => core.broker.publishRaw(job.queue, encodeMessage(messageOf(job, id, 1)));

    const claimed = core.next('claimed');
    await core.driver.publish(Array.from({ length: 20 }, () => messageOf(job, id, 1)));
    for (let copy = 0; copy < 20; copy += 1) await raw();
    await claimed;
    await until(
      'every copy was dropped',
      () => Promise.resolve(stale),
      (count) => count >= 20,
    );
    const whileItRuns = core.next('stale');
    await raw();
    await whileItRuns;
    const settled = core.next('settled');
    doors.open();
    await settled;
    const afterIt = core.next('stale');
    await raw();
    await afterIt;
    expect(runs).toBe(1);
    expect(await core.read(id)).toMatchObject({ state: 'completed', attempt: 1 });
  });

  scenario('drops-a-stale-dispatch', async () => {
    const job = plainJob();
    const core = await start([[job, () => Promise.reject(new Error('must not run'))]], { relay: false });
    const id = await core.enqueue(job, { n: 1 });
    const unknown = '019e0000-0000-7000-8000-000000000000';
    for (const [staleId, dispatch] of [
      [id, 2],
      [unknown, 1],
    ] as const) {
      const stale = core.next('stale');
      await core.driver.publish([messageOf(job, staleId, dispatch)]);
      expect((await stale).slice(1)).toEqual([staleId, dispatch]);
    }
    expect(await core.read(id)).toMatchObject({ state: 'queued', attempt: 0 });
  });

  scenario('fences-a-frozen-worker', async () => {
    const job = plainJob();
    const doors = [gate(), gate()];
    let runs = 0;
    const handle = async () => {
      const run = (runs += 1);
      await doors[run - 1]!.passed;
      return done({ n: run });
    };
    // No heartbeat happens during the test: the worker is alive but does not renew its lease.
    const core = await start([[job, handle]], { leaseMs: 300, heartbeatMs: 600_000, sweepMs: 20 });
    const swept = core.next('swept');
    const id = await core.enqueue(job, { n: 1 });
    await swept;
    await until(
      'the second run',
      () => Promise.resolve(runs),
      (count) => count === 2,
    );
    const fenced = core.next('fenced');
    doors[0]!.open();
    await fenced;
    const settled = core.next('settled');
    doors[1]!.open();
    await settled;
    expect(await core.read(id)).toMatchObject({ state: 'completed', attempt: 2, result: { n: 2 } });
  });

  scenario('renews-its-lease', async () => {
    const job = plainJob();
    const doors = gate();
    const core = await start([[job, async () => (await doors.passed, done({ n: 1 }))]], {
      leaseMs: 400,
      heartbeatMs: 50,
      sweepMs: 20,
    });
    const claimed = core.next('claimed');
    const id = await core.enqueue(job, { n: 1 });
    await claimed;
    const leaseUntil = async () =>
      (await core.pool.query<{ at: Date | null }>('SELECT lease_until AS at FROM job WHERE id = $1', [id])).rows[0]!.at;
    const first = await leaseUntil();
    await until('three leases later', leaseUntil, (at) => at !== null && at.getTime() > first!.getTime() + 1_200);
    const settled = core.next('settled');
    doors.open();
    await settled;
    expect(await core.read(id)).toMatchObject({ state: 'completed', attempt: 1 });
  });

  scenario('stops-a-handler-that-lost-its-lease', async () => {
    const job = plainJob();
    let resolveReason!: (reason: string) => void;
    const aborted = new Promise<string>((resolve) => (resolveReason = resolve));
    const handle = (_: unknown, { signal }: JobContext) =>
      new Promise<never>((_resolve, reject) =>
        signal.addEventListener('abort', () => {
          resolveReason((signal.reason as Error).message);
          reject(signal.reason as Error);
        }),
      );
    const core = await start([[job, handle]], { leaseMs: 60_000, heartbeatMs: 50 });
    const claimed = core.next('claimed');
    const id = await core.enqueue(job, { n: 1 });
    await claimed;
    // Another worker has settled the job, as after a sweep.
    await settle(core.pool, [
      { id, dispatch: 1, state: 'completed', delayMs: 0, attemptChange: 0, result: { n: 9 }, error: undefined },
    ]);
    expect(await aborted).toContain('lease ran out');
  });

  scenario('buries-what-kills-its-worker', async () => {
    const job = plainJob({ attempts: 2 });
    const doors = gate();
    const silent = async () => (await doors.passed, done({ n: 1 }));
    const core = await start([[job, silent]], { leaseMs: 200, heartbeatMs: 600_000, sweepMs: 20 });
    const last = core.next('swept', ({ state }) => state === 'failed');
    const id = await core.enqueue(job, { n: 1 });
    await last;
    expect(await core.read(id)).toMatchObject({ state: 'failed', attempt: 2, error: { code: 'lease_expired' } });
    const { rows } = await core.pool.query('SELECT job_id, reason FROM dead_letter');
    expect(rows).toEqual([{ job_id: id, reason: 'lease_expired' }]);
    doors.open();
  });
}
