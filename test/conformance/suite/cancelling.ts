import { done, type JobContext } from '@app/messaging';
import { cancelJob } from '@app/ledger';
import { tenant } from '../../support/core';
import { gate } from '../../support/gate';
import { plainJob } from '../../support/plain-job';
import { until } from '../../support/until';
import type { Suite } from '../conformance';

/** Cancellation. */
export function cancelling({ scenario, start }: Suite): void {
  scenario('cancels-before-it-runs', async () => {
    const job = plainJob();
    const core = await start([[job, () => Promise.reject(new Error('must not run'))]], { worker: false });
    const [out, later] = [await core.enqueue(job, { n: 1 }), await core.enqueue(job, { n: 2 }, { delayMs: 3_600_000 })];
    await until(
      'the message is sent',
      () => core.driver.depth(job.queue),
      (depth) => depth === 1,
    );
    expect(await cancelJob(core.pool, 'somebody-else', out)).toBeUndefined();
    expect(await cancelJob(core.pool, tenant, out)).toBe('queued');
    expect(await cancelJob(core.pool, tenant, later)).toBe('queued');

    const stale = core.next('stale');
    await core.worker.start();
    expect((await stale)[1]).toBe(out);
    for (const id of [out, later]) {
      expect(await core.read(id)).toMatchObject({ state: 'cancelled', attempt: 0, error: { code: 'cancelled' } });
    }
    expect((await core.pool.query('SELECT FROM outbox')).rowCount).toBe(0);
  });

  scenario('cancels-while-it-runs', async () => {
    const job = plainJob();
    const obedient = (_: unknown, { signal }: JobContext) =>
      new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    const stubborn = plainJob();
    const doors = gate();
    const core = await start(
      [
        [job, obedient],
        [stubborn, async () => (await doors.passed, Promise.reject(new Error('once more')))],
      ],
      // The heartbeat passes the first cancellation on to the handler. The second job is settled before any heartbeat.
      { heartbeatMs: 1_000 },
    );
    const ids: string[] = [];
    for (const definition of [job, stubborn]) {
      const claimed = core.next('claimed');
      ids.push(await core.enqueue(definition, { n: 1 }));
      await claimed;
    }
    const first = core.next('settled');
    expect(await cancelJob(core.pool, tenant, ids[0]!)).toBe('active');
    expect((await first)[1].state).toBe('cancelled');

    // This handler throws at the moment of the cancellation; without it, the job is retried.
    const second = core.next('settled');
    expect(await cancelJob(core.pool, tenant, ids[1]!)).toBe('active');
    doors.open();
    expect((await second)[1].state).toBe('cancelled');
    for (const id of ids) {
      expect(await core.read(id)).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } });
    }
    expect((await core.pool.query('SELECT FROM outbox')).rowCount).toBe(0);
  });

  scenario('cancels-too-late', async () => {
    const job = plainJob();
    const doors = gate();
    const core = await start([[job, async () => (await doors.passed, done({ n: 1 }))]], { heartbeatMs: 50 });
    const claimed = core.next('claimed');
    const id = await core.enqueue(job, { n: 1 });
    await claimed;
    expect(await cancelJob(core.pool, tenant, id)).toBe('active');
    const settled = core.next('settled');
    doors.open();
    expect((await settled)[1].state).toBe('completed');
    expect(await cancelJob(core.pool, tenant, id)).toBe('completed');
    expect(await core.read(id)).toMatchObject({ state: 'completed', result: { n: 1 } });
  });
}
