import { setTimeout as delay } from 'node:timers/promises';
import { done, encodeMessage } from '@app/messaging';
import type { JobDefinition } from '@app/contracts';
import { startCore, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';

describe('messages that got lost, or hurt', () => {
  let core: Core;

  afterEach(() => core.close());

  function message(definition: JobDefinition, id: string, dispatch: number) {
    const rest = { priority: 2, orderKey: undefined, at: new Date(), traceparent: undefined };
    return encodeMessage({ ...definition, id, dispatch, ...rest });
  }

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
