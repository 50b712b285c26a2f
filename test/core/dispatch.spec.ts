import { setTimeout as delay } from 'node:timers/promises';
import { done, encodeMessage, type JobContext } from '@app/messaging';
import type { JobDefinition } from '@app/contracts';
import { startCore, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';
import { until } from '../support/until';

describe('a message only says: try job X, dispatch N, now', () => {
  let core: Core;

  afterEach(() => core.close());

  function message(definition: JobDefinition, id: string, dispatch: number) {
    return encodeMessage({ ...definition, id, dispatch, priority: 2, traceparent: undefined });
  }

  it('the same message a hundred times at once, again while the job runs, and again after it, runs it once', async () => {
    const job = plainJob({ concurrency: 100 });
    let runs = 0;
    let finish!: () => void;
    const gate = new Promise<void>((resolve) => (finish = resolve));
    const handle = async () => {
      runs += 1;
      await gate;
      return done({ n: 1 });
    };
    core = await startCore([[job, handle]], { relay: false });
    const id = await core.enqueue(job, { n: 1 });
    let stale = 0;
    core.events.on('stale', () => (stale += 1));
    const publish = () => void core.broker.publishRaw(job.queue, message(job, id, 1));

    const claimed = core.next('claimed');
    for (let copy = 0; copy < 100; copy += 1) publish();
    await claimed;
    const whileItRuns = core.next('stale', () => stale === 100);
    publish();
    await whileItRuns;
    const settled = core.next('settled');
    finish();
    await settled;
    const afterIt = core.next('stale', () => stale === 101);
    publish();
    await afterIt;

    expect(runs).toBe(1);
    expect(await core.read(id)).toMatchObject({ state: 'completed', attempt: 1 });
  });

  it('a message of another dispatch, or of a job that is not there, runs nothing', async () => {
    const job = plainJob();
    core = await startCore([[job, () => Promise.reject(new Error('must not run'))]], { relay: false });
    const id = await core.enqueue(job, { n: 1 });
    const unknown = '019e0000-0000-7000-8000-000000000000';

    for (const [staleId, dispatch] of [
      [id, 2],
      [unknown, 1],
    ] as const) {
      const stale = core.next('stale');
      void core.broker.publishRaw(job.queue, message(job, staleId, dispatch));
      expect((await stale).slice(1)).toEqual([staleId, dispatch]);
    }
    expect(await core.read(id)).toMatchObject({ state: 'queued', attempt: 0 });
  });

  it.each([
    ['bytes that are no JSON', Buffer.from('{"a":'), 'malformed'],
    ['JSON that is no CloudEvent', { hello: 'world' }, 'malformed'],
    ['bytes beyond the limit', Buffer.alloc(64 * 1024 + 1, 0x20), 'oversized'],
    [
      'an id that is no UUID',
      { specversion: '1.0', id: '7', source: '/node-message-queue', type: 'a.b.v1', dispatch: 1 },
      'malformed',
    ],
    [
      'another sender, who wants what nobody does',
      { specversion: '1.0', id: '7', source: '/elsewhere', type: 'a.b.v1' },
      'unknown_kind',
    ],
    [
      'a kind that nobody here handles',
      {
        specversion: '1.0',
        id: '019e0000-0000-7000-8000-000000000000',
        source: '/node-message-queue',
        type: 'no.such.v1',
        dispatch: 1,
      },
      'unknown_kind',
    ],
  ])('%s: set aside with its raw bytes, and the neighbour runs', async (_, body, reason) => {
    const job = plainJob();
    core = await startCore([[job, () => Promise.resolve(done({ n: 1 }))]]);
    const setAside = core.next('set_aside');
    void core.broker.publishRaw(job.queue, body);
    const neighbour = core.next('settled');
    await core.enqueue(job, { n: 1 });
    await neighbour;
    await setAside;

    const { rows } = await core.pool.query('SELECT broker, queue, reason, raw FROM dead_letter');
    const raw = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    expect(rows).toEqual([{ broker: 'memory', queue: job.queue, reason, raw }]);
  });

  it('a payload of an older version is brought up to date; one of a newer version waits for a newer worker', async () => {
    const job = plainJob({ version: 2, upcast: (payload) => ({ n: (payload as { old: number }).old }) });
    const seen: unknown[] = [];
    core = await startCore([[job, ({ payload }) => Promise.resolve(done({ n: seen.push(payload) }))]]);

    const oldDone = core.next('settled');
    await core.enqueue({ ...job, version: 1 }, { old: 7 } as never);
    expect((await oldDone)[1].state).toBe('completed');
    expect(seen).toEqual([{ n: 7 }]);

    const newer = core.next('settled');
    const id = await core.enqueue({ ...job, version: 3 }, { n: 1 });
    expect((await newer)[1]).toMatchObject({ state: 'queued', attemptChange: -1 });
    expect(await core.read(id)).toMatchObject({ state: 'scheduled', attempt: 0 });
  });

  it('what the broker forgot comes back', async () => {
    const job = plainJob({ concurrency: 1 });
    let release!: () => void;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const handle = async (_: unknown, context: JobContext) => {
      await gate;
      context.signal.throwIfAborted();
      return done({ n: 1 });
    };
    core = await startCore([[job, handle]], { reconcileMs: 50, forgottenAfterMs: 200, leaseMs: 60_000 });
    const ids: string[] = [];
    for (let n = 0; n < 20; n += 1) ids.push(await core.enqueue(job, { n }));
    await until(
      'all are published',
      () => core.driver.depth(job.queue),
      (depth) => depth === 20,
    );

    await core.broker.forget(job.queue);
    const [, , count] = await core.next('forgotten');
    expect(count).toBeGreaterThan(0);
    release();
    await until(
      'all are done',
      () => Promise.all(ids.map((id) => core.read(id))),
      (jobs) => jobs.every(({ state, attempt }) => state === 'completed' && attempt === 1),
    );
  });

  it('a single message that got lost comes back although the queue is never idle', async () => {
    const job = plainJob({ concurrency: 2 });
    const handle = async () => {
      await delay(20); // Always at least one in work, as under steady load.
      return done({ n: 1 });
    };
    core = await startCore([[job, handle]], { reconcileMs: 30, forgottenAfterMs: 200 });
    const publish = core.driver.publish.bind(core.driver);
    let lost: string | undefined;
    core.driver.publish = (messages) =>
      publish(messages.filter(({ id, dispatch }) => dispatch > 1 || id !== (lost ??= id)));

    const first = await core.enqueue(job, { n: 0 });
    const isBack = async () => (await core.read(first)).state === 'completed';
    const started = performance.now();
    while (!(await isBack()) && performance.now() - started < 10_000) {
      await Promise.all([core.enqueue(job, { n: 1 }), core.enqueue(job, { n: 2 }), core.enqueue(job, { n: 3 })]);
    }
    expect(lost).toBe(first);
    expect(await core.read(first)).toMatchObject({ state: 'completed', attempt: 1 });
  });

  it.each([
    ['a NUL in the kind', { type: 'no\0such.v1' }, 'unknown_kind'],
    ['a dispatch that no row can have', { dispatch: 3_000_000_000 }, 'malformed'],
  ])('%s is set aside like any other', async (_, field, reason) => {
    const job = plainJob();
    core = await startCore([[job, () => Promise.resolve(done({ n: 1 }))]]);
    const setAside = core.next('set_aside');
    void core.broker.publishRaw(job.queue, { ...message(job, '019e0000-0000-7000-8000-000000000000', 1), ...field });
    expect((await setAside)[1]).toBe(reason);
    expect((await core.pool.query('SELECT reason FROM dead_letter')).rows).toEqual([{ reason }]);
  });
});
