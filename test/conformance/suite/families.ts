import { done, fail } from '@app/messaging';
import { cancelJob, redrive } from '@app/ledger';
import { tenant, type Core } from '../../support/core';
import { gate } from '../../support/gate';
import { plainJob } from '../../support/plain-job';
import { until } from '../../support/until';
import type { Suite } from '../conformance';

/** A parent job and the child jobs it waits for. */
export function families({ scenario, start }: Suite): void {
  const states = async (core: Core) =>
    (await core.pool.query<{ kind: string; state: string }>('SELECT kind, state::text FROM job ORDER BY id')).rows;

  scenario('runs-a-parent-after-its-children', async () => {
    const [section, document] = [plainJob({ concurrency: 10 }), plainJob()];
    const doors = gate();
    const seen: number[][] = [];
    const core = await start([
      [
        section,
        async ({ payload }) => {
          const { n } = payload as { n: number };
          if (n === 3) await doors.passed;
          return done({ n: n * 10 });
        },
      ],
      [
        document,
        async (_, { childResults }) => {
          const results = (await childResults()).map(({ result }) => (result as { n: number } | null)?.n ?? 0);
          seen.push(results);
          return done({ n: results.reduce((sum, n) => sum + n) });
        },
      ],
    ]);
    const family = Array.from({ length: 8 }, (_, n) => ({ definition: section, payload: { n: n + 1 } }));
    const parent = await core.jobs.enqueueFlow(document, { n: 0 }, [family[0]!, ...family.slice(1)], { tenant });
    await until(
      'all children but one are done',
      () => states(core),
      (jobs) => jobs.filter(({ state }) => state === 'completed').length === 7,
    );
    // A job that is enqueued now and finishes shows that the relay has published all due rows.
    const other = core.next('settled');
    await core.enqueue(section, { n: 99 });
    await other;
    expect(await core.read(parent.id)).toMatchObject({ state: 'waiting', attempt: 0 });

    const ended = core.next('settled', ({ kind }) => kind === document.kind);
    doors.open();
    await ended;
    expect(await core.read(parent.id)).toMatchObject({ state: 'completed', result: { n: 360 }, attempt: 1 });
    expect(seen).toEqual([[10, 20, 30, 40, 50, 60, 70, 80]]);
  });

  scenario('fails-a-parent-with-its-child', async () => {
    const [section, document] = [plainJob(), plainJob()];
    const core = await start([
      [
        section,
        ({ payload }) => Promise.resolve((payload as { n: number }).n === 2 ? fail('no data') : done({ n: 1 })),
      ],
      [document, () => Promise.reject(new Error('must not run'))],
    ]);
    const failed = core.next('settled', (_, { state }) => state === 'failed');
    const children = [1, 2].map((n) => ({ definition: section, payload: { n } }));
    const parent = await core.jobs.enqueueFlow(document, { n: 0 }, [children[0]!, children[1]!], { tenant });
    await failed;
    const job = await core.read(parent.id);
    expect(job).toMatchObject({ state: 'failed', error: { code: 'child_failed' } });
    expect(job.error!.message).toContain(section.kind);
    const { rows } = await core.pool.query('SELECT job_id FROM dead_letter');
    expect(rows).toHaveLength(2);
    expect(rows).toContainEqual({ job_id: parent.id });
  });

  scenario('redrives-a-family', async () => {
    const [section, document] = [plainJob(), plainJob()];
    let isMended = false;
    const core = await start([
      [
        section,
        ({ payload }) =>
          Promise.resolve((payload as { n: number }).n === 2 && !isMended ? fail('no data') : done({ n: 1 })),
      ],
      [
        document,
        async (_, { childResults }) => done({ n: (await childResults()).filter(({ result }) => result).length }),
      ],
    ]);
    const family = [1, 2].map((n) => ({ definition: section, payload: { n } }));
    const flow = () => core.jobs.enqueueFlow(document, { n: 0 }, [family[0]!, family[1]!], { tenant });
    const all = { ids: undefined, kind: undefined, broker: undefined, before: undefined };
    const parent = await flow();
    await until(
      'one child is done, the rest has failed',
      () => states(core),
      (jobs) => jobs.map(({ state }) => state).join() === 'completed,failed,failed',
    );

    // Redrives only the child; its parent goes back to waiting.
    isMended = true;
    const ended = core.next('settled', ({ kind }) => kind === document.kind);
    expect(await redrive.run(core.pool, { ...all, kind: section.kind, by: 'ada' })).toMatchObject([
      { becomes: 'redriven' },
    ]);
    core.wakeUp.request();
    await ended;
    expect(await core.read(parent.id)).toMatchObject({ state: 'completed', result: { n: 2 } });

    isMended = false;
    const broken = await flow();
    await until(
      'it has failed',
      () => core.read(broken.id),
      ({ state }) => state === 'failed',
    );
    await core.pool.query(`UPDATE job SET state = 'cancelled' WHERE parent_id = $1 AND state = 'failed'`, [broken.id]);
    expect(await redrive.run(core.pool, { ...all, kind: document.kind, by: 'ada' })).toMatchObject([
      { becomes: 'child_cancelled' },
    ]);
    expect(await core.read(broken.id)).toMatchObject({ state: 'failed' });
  });

  scenario('cancels-children-with-their-parent', async () => {
    const [section, document] = [plainJob({ concurrency: 1 }), plainJob()];
    const doors = gate();
    const core = await start(
      [
        [section, async (_, { signal }) => (await doors.passed, signal.throwIfAborted(), done({ n: 1 }))],
        [document, () => Promise.reject(new Error('must not run'))],
      ],
      { heartbeatMs: 20 },
    );
    const claimed = core.next('claimed');
    const children = [1, 2].map((n) => ({ definition: section, payload: { n } }));
    const parent = await core.jobs.enqueueFlow(document, { n: 0 }, [children[0]!, children[1]!], { tenant });
    await claimed;
    const settled = core.next('settled');
    expect(await cancelJob(core.pool, tenant, parent.id)).toBe('waiting');
    doors.open();
    await settled;
    expect((await states(core)).filter(({ kind }) => kind === document.kind)).toEqual([
      { kind: document.kind, state: 'cancelled' },
    ]);
    const sections = (await states(core)).filter(({ kind }) => kind === section.kind).map(({ state }) => state);
    // The running child was cancelled or had finished; the waiting child is cancelled.
    expect(sections).toContain('cancelled');
    expect(sections).not.toContain('queued');
  });
}
