import { cancelJob, listJobs, readJobs, redrive, sweepExpiredLeases } from '@app/ledger';
import { done, fail, retry, type Outcome } from '@app/messaging';
import { gate } from '../support/gate';
import { startCore, tenant, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';
import { until } from '../support/until';

describe('the place of a job', () => {
  const job = plainJob({ attempts: 2 });
  const keyed = plainJob({ orderBy: () => 'one' });
  const child = plainJob({ attempts: 1 });
  const outcomes = { job: done({ n: 1 }) as Outcome, child: done({ n: 1 }) as Outcome };
  let core: Core;
  let taken: ReturnType<typeof gate>;
  let finish: ReturnType<typeof gate>;

  beforeEach(() => {
    [taken, finish] = [gate(), gate()];
    outcomes.job = done({ n: 1 });
    outcomes.child = done({ n: 1 });
  });

  afterEach(async () => {
    finish.open();
    await core.close();
  });

  const start = async (options: { relay?: boolean; worker?: boolean } = {}) => {
    const handle = async () => {
      taken.open();
      await finish.passed;
      return outcomes.job;
    };
    core = await startCore(
      [
        [job, handle],
        [keyed, handle],
        [child, () => Promise.resolve(outcomes.child)],
      ],
      { leaseMs: 60_000, ...options },
    );
  };

  /** State and place, which have to be the same by each way to read a job. */
  async function seen(id: string): Promise<{ state: string; place: string | null }> {
    const query = { state: undefined, kind: undefined, before: undefined, limit: 100 };
    const views = [
      await core.read(id),
      ...(await readJobs(core.pool, [id])),
      (await listJobs(core.pool, tenant, query)).jobs.find((listed) => listed.id === id)!,
    ].map(({ state, place }) => ({ state, place }));
    expect(new Set(views.map((view) => JSON.stringify(view))).size).toBe(1);
    return views[0]!;
  }

  const becomes = async (id: string, state: string, place: string | null) => {
    await until(
      `${state} at ${place}`,
      () => core.read(id),
      (view) => view.state === state && view.place === place,
    );
    expect(await seen(id)).toEqual({ state, place });
  };

  it('without a relay, is the outbox for a due and a delayed job, and the ledger for a waiting parent', async () => {
    await start({ relay: false });
    const [due, delayed] = [await core.enqueue(job, { n: 1 }), await core.enqueue(job, { n: 1 }, { delayMs: 60_000 })];
    const children = [{ definition: child, payload: { n: 1 } }] as never;
    const parent = await core.jobs.enqueueFlow(job, { n: 1 }, children, { tenant });
    expect(await seen(due)).toEqual({ state: 'queued', place: 'outbox' });
    expect(await seen(delayed)).toEqual({ state: 'scheduled', place: 'outbox' });
    expect(await seen(parent.id)).toEqual({ state: 'waiting', place: 'ledger' });
  });

  it('without a worker, is the broker for a due job, and the outbox for the next job with its order key', async () => {
    await start({ worker: false });
    const [first, second] = [await core.enqueue(keyed, { n: 1 }), await core.enqueue(keyed, { n: 2 })];
    await becomes(first, 'queued', 'broker');
    expect(await seen(second)).toEqual({ state: 'queued', place: 'outbox' });
  });

  it('is the worker for a running and a completed job, and the outbox for a job that waits for its next attempt', async () => {
    await start();
    outcomes.job = retry('once more', '1h');
    const id = await core.enqueue(job, { n: 1 });
    await taken.passed;
    expect(await seen(id)).toEqual({ state: 'active', place: 'worker' });
    finish.open();
    await becomes(id, 'retrying', 'outbox');
    outcomes.job = done({ n: 1 });
    await core.pool.query('UPDATE outbox SET publish_at = now()');
    await core.pool.query('UPDATE job SET run_at = now()');
    core.wakeUp.request();
    await becomes(id, 'completed', 'worker');
  });

  it('is the ledger for a job whose lease has expired, and the outbox after the sweep', async () => {
    await start({ relay: false, worker: false });
    const id = await core.enqueue(job, { n: 1 });
    await core.pool.query('DELETE FROM outbox');
    await core.pool.query("UPDATE job SET state = 'active', attempt = 1, lease_until = now() - interval '1 second'");
    expect(await seen(id)).toEqual({ state: 'active', place: 'ledger' });
    await sweepExpiredLeases(core.pool, [], () => true);
    expect(await seen(id)).toEqual({ state: 'queued', place: 'outbox' });
  });

  it('is null for a job that was cancelled before a worker took it, and the worker for one that was cancelled while it ran', async () => {
    await start();
    const [running, delayed] = [
      await core.enqueue(job, { n: 1 }),
      await core.enqueue(job, { n: 1 }, { delayMs: 60_000 }),
    ];
    await taken.passed;
    outcomes.job = retry('stopped');
    await cancelJob(core.pool, tenant, delayed);
    await cancelJob(core.pool, tenant, running);
    finish.open();
    await becomes(delayed, 'cancelled', null);
    await becomes(running, 'cancelled', 'worker');
  });

  it('is the ledger for a parent that failed with its child, and for the same parent after a redrive', async () => {
    await start();
    outcomes.child = fail('broken');
    const children = [{ definition: child, payload: { n: 1 } }] as never;
    const { id } = await core.jobs.enqueueFlow(job, { n: 1 }, children, { tenant });
    await becomes(id, 'failed', 'ledger');
    const query = "SELECT id::text FROM job WHERE parent_id IS NOT NULL AND state = 'failed'";
    const [failedChild] = (await core.pool.query<{ id: string }>(query)).rows;
    expect(await seen(failedChild!.id)).toEqual({ state: 'failed', place: 'worker' });
    outcomes.child = retry('not yet', '1h');
    await redrive.run(core.pool, { ids: [id], kind: undefined, broker: undefined, before: undefined, by: 'test' });
    expect(await seen(id)).toEqual({ state: 'waiting', place: 'ledger' });
  });
});
