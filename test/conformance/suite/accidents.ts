import { done, type JobContext } from '@app/messaging';
import { gate } from '../../support/gate';
import { plainJob } from '../../support/plain-job';
import { until } from '../../support/until';
import type { Suite } from '../conformance';

/** Failures of brokers and workers. */
export function accidents({ scenario, start }: Suite): void {
  scenario('drains-and-hands-back', async () => {
    const [quick, slow] = [plainJob({ concurrency: 1 }), plainJob()];
    const doors = gate();
    let drained = false;
    const core = await start(
      [
        [quick, async () => (await doors.passed, done({ n: 1 }))],
        [
          slow,
          (_, { signal }: JobContext) =>
            drained
              ? Promise.resolve(done({ n: 2 }))
              : new Promise<never>((_resolve, reject) =>
                  signal.addEventListener('abort', () => reject(signal.reason as Error)),
                ),
        ],
      ],
      { graceMs: 5_300 },
    );
    const ids: string[] = [];
    for (const definition of [quick, slow]) {
      const claimed = core.next('claimed');
      ids.push(await core.enqueue(definition, { n: 1 }));
      await claimed;
    }
    const waits = await core.enqueue(quick, { n: 2 });
    const draining = core.next('draining');
    const ended = core.worker.drain();
    await draining;
    doors.open();
    await ended;
    expect(await core.read(ids[0]!)).toMatchObject({ state: 'completed' });
    expect(await core.read(ids[1]!)).toMatchObject({ state: 'queued', attempt: 0, error: null });
    expect(await core.read(waits)).toMatchObject({ state: 'queued', attempt: 0 });

    drained = true;
    await core.startWorker();
    await until(
      'the next worker has done the rest',
      () => Promise.all([...ids, waits].map((id) => core.read(id))),
      (jobs) => jobs.every(({ state, attempt }) => state === 'completed' && attempt === 1),
    );
  });

  scenario('hands-back-what-it-has-not-begun', async () => {
    const narrow = plainJob({ concurrency: 1 });
    // Both definitions use the same queue, so more messages are delivered than the narrow one has slots for.
    const wide = { ...plainJob({ concurrency: 5 }), queue: narrow.queue };
    const doors = gate();
    let runs = 0;
    const core = await start([
      [narrow, async () => ((runs += 1), await doors.passed, done({ n: 1 }))],
      [wide, () => Promise.resolve(done({ n: 1 }))],
    ]);
    const claimed = core.next('claimed');
    let received = 0;
    core.signals.on('received', () => (received += 1));
    const ids = await Promise.all([1, 2, 3, 4].map((n) => core.enqueue(narrow, { n })));
    const [{ id: running }] = await claimed;
    await until(
      'all four are delivered',
      () => Promise.resolve(received),
      (count) => count === 4,
    );
    const draining = core.next('draining');
    const drained = core.worker.drain();
    await draining;
    doors.open();
    await drained;
    expect(runs).toBe(1);
    expect(await core.read(running)).toMatchObject({ state: 'completed' });
    for (const id of ids.filter((other) => other !== running)) {
      expect(await core.read(id)).toMatchObject({ state: 'queued', attempt: 0 });
    }
  });

  scenario('keeps-what-the-broker-refused', async () => {
    const job = plainJob();
    const core = await start([[job, () => Promise.resolve(done({ n: 1 }))]]);
    const publish = core.driver.publish.bind(core.driver);
    let refusals = 0;
    core.driver.publish = (messages) =>
      refusals < 3 ? Promise.reject(new Error(`refused ${(refusals += 1)}`)) : publish(messages);
    const failed = core.next('publish_failed');
    const settled = core.next('settled');
    const id = await core.enqueue(job, { n: 1 });
    expect((await failed)[1]).toEqual(new Error('refused 1'));
    expect((await core.pool.query('SELECT job_id FROM outbox')).rows).toEqual([{ job_id: id }]);
    await settled;
    expect(await core.read(id)).toMatchObject({ state: 'completed', attempt: 1 });
    expect((await core.pool.query('SELECT FROM outbox')).rowCount).toBe(0);
  });

  scenario('gives-up-a-silent-publish', async () => {
    const job = plainJob();
    let runs = 0;
    const core = await start([[job, () => Promise.resolve(done({ n: (runs += 1) }))]]);
    const publish = core.driver.publish.bind(core.driver);
    let silent = true;
    core.driver.publish = async (messages) => {
      await publish(messages); // The message arrives …
      if (!silent) return;
      silent = false;
      await new Promise(() => undefined); // … but the publish never returns.
    };
    const failed = core.next('publish_failed');
    const again = core.next('published');
    const id = await core.enqueue(job, { n: 1 });
    expect(((await failed)[1] as Error).message).toContain('did not confirm within');
    await again;
    await until(
      'it is done',
      () => core.read(id),
      ({ state }) => state === 'completed',
    );
    expect(runs).toBe(1);
  });

  scenario('brings-back-what-the-broker-forgot', async () => {
    const job = plainJob({ concurrency: 1 });
    const core = await start([[job, () => Promise.resolve(done({ n: 1 }))]], {
      reconcileMs: 50,
      forgottenAfterMs: 200,
      worker: false,
    });
    const ids: string[] = [];
    for (let n = 0; n < 20; n += 1) ids.push(await core.enqueue(job, { n }));
    await until(
      'all are published',
      () => core.driver.depth(job.queue),
      (depth) => depth === 20,
    );
    let dispatchedAgain = 0;
    const all = core.next('forgotten', (_broker, _queue, count) => (dispatchedAgain += count) >= 20);
    await core.broker.forget(job.queue);
    await all;
    await core.worker.start();
    await until(
      'all are done',
      () => Promise.all(ids.map((id) => core.read(id))),
      (jobs) => jobs.every(({ state, attempt }) => state === 'completed' && attempt === 1),
    );
  });

  scenario('says-what-it-holds', async () => {
    const job = plainJob({ concurrency: 2 });
    const doors = gate();
    const core = await start([[job, async () => (await doors.passed, done({ n: 1 }))]], { worker: false });
    for (let n = 0; n < 5; n += 1) await core.enqueue(job, { n });
    const depth = () => core.driver.depth(job.queue);
    await until('five wait', depth, (count) => count === 5);
    let claimed = 0;
    core.signals.on('claimed', () => (claimed += 1));
    await core.worker.start();
    await until(
      'two are worked on',
      () => Promise.resolve(claimed),
      (count) => count === 2,
    );
    expect(await depth()).toBe(5);
    doors.open();
    await until('nothing is left', depth, (count) => count === 0);
  });

  scenario('takes-no-more-than-it-can-do', async () => {
    const [waiting, sent] = [100_000, 500];
    const job = plainJob({ concurrency: 5 });
    const doors = gate();
    const core = await start([[job, async () => (await doors.passed, done({ n: 1 }))]], {
      relay: false,
      worker: false,
    });
    const message = { ...job, priority: 2, dispatch: 7, orderKey: 'one', at: new Date(), traceparent: null };
    for (let first = 0; first < waiting; first += sent) {
      await core.driver.publish(
        Array.from({ length: sent }, (_, n) => ({
          ...message,
          id: `019e0000-0000-7000-8000-${(first + n).toString().padStart(12, '0')}`,
        })),
      );
    }
    // Only the first five messages have jobs. The messages behind them wait for their slots.
    await core.pool.query(
      `INSERT INTO job (id, tenant, kind, version, queue, broker, state, priority, dispatch, max_attempts, run_at, payload)
       SELECT ('019e0000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'test', $1, 1, $2, $3, 'queued', 2, 7, 3, now(), '{"n": 1}'
         FROM generate_series(0, 4) AS n`,
      [job.kind, job.queue, core.driver.name],
    );
    const heldBefore = process.memoryUsage().heapUsed;
    let [claimed, stale] = [0, 0];
    core.signals.on('claimed', () => (claimed += 1));
    core.signals.on('stale', () => (stale += 1));
    await core.worker.start();
    await until(
      'five run',
      () => Promise.resolve(claimed),
      (count) => count === 5,
    );
    expect(await core.driver.depth(job.queue)).toBeGreaterThanOrEqual(waiting - stale);
    expect(stale).toBe(0);
    expect(process.memoryUsage().heapUsed - heldBefore).toBeLessThan(40 * 1024 * 1024);
    // Deletes the other messages. To drop all of them as stale takes 200 s and shows nothing more.
    await core.broker.forget(job.queue);
    doors.open();
  });
}
