import { done } from '@app/messaging';
import { pauseQueue, purgeQueue, resumeQueue } from '@app/ledger';
import { tenant } from '../../support/core';
import { gate } from '../../support/gate';
import { plainJob } from '../../support/plain-job';
import { until } from '../../support/until';
import type { Suite } from '../conformance';

/** Queues that an operator pauses, resumes and purges. */
export function pausing({ scenario, start }: Suite): void {
  scenario('holds-the-jobs-of-a-paused-queue', async () => {
    const [job, other] = [plainJob({ concurrency: 1 }), plainJob()];
    const [taken, finish] = [gate(), gate()];
    const runs: number[] = [];
    const core = await start([
      [
        job,
        async ({ payload }) => {
          runs.push((payload as { n: number }).n);
          taken.open();
          await finish.passed;
          return done({ n: 1 });
        },
      ],
      [other, () => Promise.resolve(done({ n: 1 }))],
    ]);
    const [by, { queue }] = ['ops (operator)', job];
    const first = await core.enqueue(job, { n: 1 });
    await taken.passed;
    const published = await core.enqueue(job, { n: 2 });
    await until(
      'the broker has its message',
      () => core.read(published),
      ({ place }) => place === 'broker',
    );

    const returned = core.next('stale', (_delivery, id) => id === published);
    await pauseQueue.run(core.pool, { queue, by, reason: 'a test' });
    const late = await core.enqueue(job, { n: 3 });
    const ended = core.next('settled', ({ id }) => id === first);
    finish.open();
    await Promise.all([ended, returned]);
    await until(
      'the relay holds both',
      async () => (await core.pool.query('SELECT FROM outbox WHERE held_from IS NOT NULL')).rowCount,
      (rows) => rows === 2,
    );
    // Another queue goes on, so the relay and the worker have done all that they do.
    expect(await core.ended(await core.enqueue(other, { n: 1 }))).toMatchObject({ state: 'completed' });
    expect(await core.read(first)).toMatchObject({ state: 'completed' });
    for (const id of [published, late]) {
      expect(await core.read(id)).toMatchObject({ state: 'queued', place: 'outbox', attempt: 0 });
    }

    await resumeQueue.run(core.pool, { queue, by });
    for (const id of [published, late]) expect(await core.ended(id)).toMatchObject({ state: 'completed', attempt: 1 });
    expect(runs.sort()).toEqual([1, 2, 3]);
  });

  scenario('cancels-the-jobs-of-a-purged-queue', async () => {
    const [job, parent] = [plainJob(), plainJob()];
    const core = await start([
      [job, () => Promise.resolve(done({ n: 1 }))],
      [parent, () => Promise.resolve(done({ n: 1 }))],
    ]);
    const [by, { queue }] = ['ops (operator)', job];
    await pauseQueue.run(core.pool, { queue, by, reason: 'a test' });
    const [due, later] = [await core.enqueue(job, { n: 1 }), await core.enqueue(job, { n: 2 }, { delayMs: 3_600_000 })];
    const flow = await core.jobs.enqueueFlow(parent, { n: 0 }, [{ definition: job, payload: { n: 3 } }] as never, {
      tenant,
    });
    expect([await purgeQueue(core.pool, queue, [job.kind]), await purgeQueue(core.pool, queue, [job.kind])]).toEqual([
      3, 0,
    ]);
    for (const id of [due, later]) expect(await core.read(id)).toMatchObject({ state: 'cancelled', attempt: 0 });
    expect(await core.ended(flow.id)).toMatchObject({ state: 'failed', error: { code: 'child_failed' } });

    await resumeQueue.run(core.pool, { queue, by });
    expect(await core.ended(await core.enqueue(job, { n: 4 }))).toMatchObject({ state: 'completed' });
    expect(await core.read(due)).toMatchObject({ state: 'cancelled' });
  });
}
