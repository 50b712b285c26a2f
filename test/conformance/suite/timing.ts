import { defineSchedule, type Priority } from '@app/contracts';
import { BootCheckError, done, policyFaults, type JobsService } from '@app/messaging';
import { Scheduler } from '../../../libs/messaging/src/relay/scheduler';
import type { Core } from '../../support/core';
import { gate } from '../../support/gate';
import { plainJob } from '../../support/plain-job';
import { until } from '../../support/until';
import type { Suite } from '../conformance';

/** When a job runs, and how many jobs run at the same time. */
export function timing({ harness, scenario, start }: Suite): void {
  const nothing = () => Promise.resolve(done({ n: 1 }));

  async function completed(core: Core, ids: readonly string[]): Promise<void> {
    await until(
      `${ids.length} jobs are completed`,
      async () =>
        (await core.pool.query(`SELECT count(*)::int AS n FROM job WHERE state = 'completed' AND id = ANY($1)`, [ids]))
          .rows[0] as { n: number },
      ({ n }) => n === ids.length,
      60_000,
    );
  }

  scenario('runs-after-a-delay', async () => {
    const job = plainJob();
    const core = await start([[job, nothing]]);
    const claimed = core.next('claimed');
    const id = await core.enqueue(job, { n: 1 }, { delayMs: 2_000 });
    expect(await core.read(id)).toMatchObject({ state: 'scheduled' });
    const [{ createdAt }] = await claimed;
    await completed(core, [id]);
    const { startedAt } = await core.read(id);
    expect(startedAt!.getTime() - createdAt.getTime()).toBeGreaterThanOrEqual(2_000);
    expect(startedAt!.getTime() - createdAt.getTime()).toBeLessThan(10_000);
  });

  scenario('runs-at-a-moment', async () => {
    const job = plainJob();
    const core = await start([[job, nothing]]);
    // The consumer has joined its group by then, which takes seconds on a busy machine.
    await completed(core, [await core.enqueue(job, { n: 0 })]);
    const runAt = new Date(Date.now() + 2_000);
    const later = await core.enqueue(job, { n: 1 }, { runAt: runAt.toISOString() });
    const past = await core.enqueue(job, { n: 2 }, { runAt: '2020-02-29T12:00:00+01:00' });
    await completed(core, [later, past]);
    expect((await core.read(later)).startedAt!.getTime()).toBeGreaterThanOrEqual(runAt.getTime());
  });

  scenario('runs-the-urgent-first', async () => {
    const job = plainJob({ concurrency: 1 });
    if (harness.capabilities.priority === 'none') {
      const refusing = await start([[job, nothing]], { worker: false });
      await expect(refusing.enqueue(job, { n: 1 }, { priority: 'high' })).rejects.toMatchObject({
        code: 'priority_unsupported',
        path: 'options.priority',
      });
      expect((await refusing.pool.query('SELECT FROM job')).rowCount).toBe(0);
      return;
    }
    const order: number[] = [];
    const core = await start(
      [[job, ({ payload }) => Promise.resolve(done({ n: order.push((payload as { n: number }).n) }))]],
      {
        worker: false,
      },
    );
    const asked: Priority[] = ['low', 'normal', 'high', 'normal', 'high'];
    const ids: string[] = [];
    for (const [n, priority] of asked.entries()) ids.push(await core.enqueue(job, { n }, { priority }));
    await until(
      'all wait in the broker',
      () => core.driver.depth(job.queue),
      (depth) => depth === asked.length,
    );
    await core.worker.start();
    await completed(core, ids);
    expect(order).toEqual([2, 4, 1, 3, 0]);
  });

  scenario('limits-the-rate', async () => {
    const job = plainJob({ rateLimit: { max: 2, perMs: 300 }, concurrency: 10 });
    if (harness.capabilities.rateLimit === 'none') {
      const driver = { name: 'memory', capabilities: harness.capabilities } as const;
      expect(policyFaults(job, driver)).toEqual([expect.stringContaining('rateLimit')]);
      expect(new BootCheckError(policyFaults(job, driver)).message).toContain(job.kind);
      return;
    }
    const core = await start([[job, nothing]]);
    const ids = [];
    for (let n = 0; n < 7; n += 1) ids.push(await core.enqueue(job, { n }));
    await completed(core, ids);
    const jobs = await Promise.all(ids.map((id) => core.read(id)));
    const firstCreated = jobs[0]!.createdAt.getTime();
    const lastStarted = Math.max(...jobs.map(({ startedAt }) => startedAt!.getTime()));
    // Seven jobs at two per 300 ms: the next pair waits three times. The time counts from the creation of the first job
    // and not from its start: a late claim of the first job does not shorten the wait of the others.
    expect(lastStarted - firstCreated).toBeGreaterThanOrEqual(800);
  });

  scenario('limits-concurrency', async () => {
    const job = plainJob({ concurrency: 3 });
    const doors = gate();
    let [running, most] = [0, 0];
    const handle = async () => {
      running += 1;
      most = Math.max(most, running);
      if (running === 3) doors.open();
      await doors.passed;
      // Gives other handlers the chance to start, if the limit lets them.
      await new Promise(setImmediate);
      running -= 1;
      return done({ n: 1 });
    };
    const core = await start([[job, handle]]);
    const ids = await Promise.all(Array.from({ length: 20 }, (_, n) => core.enqueue(job, { n })));
    await completed(core, ids);
    expect(most).toBe(3);
  });

  scenario('limits-concurrency-per-tenant', async () => {
    // The slow tenant has more jobs than the process has slots, and the driver takes all of them from the broker.
    const job = plainJob({ concurrency: 4, concurrencyPerTenant: 2 });
    const doors = gate();
    const [running, most] = [new Map<string, number>(), new Map<string, number>()];
    const core = await start([
      [
        job,
        async ({ tenant }) => {
          const now = (running.get(tenant) ?? 0) + 1;
          running.set(tenant, now);
          most.set(tenant, Math.max(most.get(tenant) ?? 0, now));
          if (tenant === 'slow') await doors.passed;
          running.set(tenant, running.get(tenant)! - 1);
          return done({ n: 1 });
        },
      ],
    ]);
    const enqueue = (tenant: string, n: number) => core.jobs.enqueue(job, { n }, { tenant });
    const slow: string[] = [];
    for (let n = 0; n < 12; n += 1) slow.push((await enqueue('slow', n)).id);
    const quick: string[] = [];
    for (let n = 0; n < 6; n += 1) quick.push((await enqueue('quick', n)).id);
    // None of the slow jobs has finished.
    await completed(core, quick);
    expect(running.get('slow')).toBe(2);
    doors.open();
    await completed(core, slow);
    expect(most.get('slow')).toBe(2);
    const { rows } = await core.pool.query(`SELECT DISTINCT tenant, attempt FROM job ORDER BY tenant`);
    expect(rows).toEqual([
      { tenant: 'quick', attempt: 1 },
      { tenant: 'slow', attempt: 1 },
    ]);
  });

  scenario('keeps-order-per-key', async () => {
    const job = plainJob({ concurrency: 8, attempts: 2, orderBy: () => 'one' });
    const other = plainJob();
    const doors = gate();
    const order: string[] = [];
    let running = 0;
    const core = await start([
      [other, nothing],
      [
        job,
        async ({ payload, attempt }) => {
          running += 1;
          const { n } = payload as { n: number };
          order.push(running > 1 ? `${n} beside another` : `${n}/${attempt}`);
          await doors.passed;
          running -= 1;
          if (n === 1 && attempt === 1) throw new Error('once more');
          if (n === 3) throw new Error('never');
          return done({ n });
        },
      ],
    ]);
    const last = core.next('settled', ({ payload }) => (payload as { n: number }).n === 5);
    for (let n = 0; n < 6; n += 1) await core.enqueue(job, { n });
    // Other jobs, enqueued one after another, finish. This shows that the relay has published all due rows.
    for (let n = 6; n < 9; n += 1) {
      const passed = core.next('settled', ({ kind }) => kind === other.kind);
      await core.enqueue(other, { n });
      await passed;
    }
    doors.open();
    await last;
    expect(order).toEqual(['0/1', '1/1', '1/2', '2/1', '3/1', '3/2', '4/1', '5/1']);
  });

  scenario('order-does-not-block-others', async () => {
    const job = plainJob({ concurrency: 4, orderBy: ({ n }: { n: number }) => (n < 10 ? 'slow' : `key ${n}`) });
    const doors = gate();
    const core = await start([
      [job, async ({ payload }) => ((payload as { n: number }).n === 0 && (await doors.passed), done({ n: 1 }))],
    ]);
    const [slow, behind] = [await core.enqueue(job, { n: 0 }), await core.enqueue(job, { n: 1 })];
    const others = await Promise.all(Array.from({ length: 20 }, (_, n) => core.enqueue(job, { n: 10 + n })));
    await completed(core, others);
    expect(await core.read(behind)).toMatchObject({ state: 'queued', attempt: 0 });
    doors.open();
    await completed(core, [slow, behind]);
  });

  scenario('makes-scheduled-jobs-once', async () => {
    const job = plainJob();
    const payload = (dueAt: Date) => ({ n: dueAt.getTime() });
    const schedule = defineSchedule({ name: 'every.second', cron: '* * * * * *', zone: 'UTC', job, payload });
    // Two relays: the one of the core, and this one.
    const core = await start([[job, nothing]], { schedules: [schedule] });
    const other = new Scheduler(core.pool, core.jobs, [schedule]);
    const due = async () =>
      (await core.pool.query<{ n: number }>(`SELECT (payload->>'n')::float8 AS n FROM job ORDER BY id`)).rows.map(
        ({ n }) => n,
      );
    const ticks = await until(
      'three ticks',
      async () => (await other.tick(), due()),
      ({ length }) => length >= 3,
    );
    expect(new Set(ticks).size).toBe(ticks.length);
    expect(ticks.slice(1).every((tick, index) => tick - ticks[index]! >= 1_000)).toBe(true);

    // No relay runs for an hour: one job replaces 3,600 ticks.
    const yearly = { ...schedule, name: 'missed.ticks' };
    const missed = new Scheduler(core.pool, core.jobs, [yearly]);
    await missed.tick();
    await core.pool.query(`UPDATE schedule SET due_at = due_at - interval '1 hour' WHERE name = $1`, [yearly.name]);
    await Promise.all([missed.tick(), new Scheduler(core.pool, core.jobs, [yearly]).tick()]);
    const { rows } = await core.pool.query(`SELECT FROM idempotency_key WHERE route = 'schedule missed.ticks'`);
    expect(rows).toHaveLength(1);

    // A relay dies after it has enqueued the job and before it moves the schedule on. No second job is made.
    const dying = new Scheduler(
      core.pool,
      {
        enqueue: async (...request: Parameters<JobsService['enqueue']>) => (
          await core.jobs.enqueue(...request),
          Promise.reject(new Error('killed'))
        ),
      } as never,
      [yearly],
    );
    await core.pool.query(`UPDATE schedule SET due_at = due_at - interval '2 hours' WHERE name = $1`, [yearly.name]);
    await expect(dying.tick()).rejects.toThrow('could not be kept');
    await missed.tick();
    expect(
      (await core.pool.query(`SELECT FROM idempotency_key WHERE route = 'schedule missed.ticks'`)).rows,
    ).toHaveLength(2);
  });
}
