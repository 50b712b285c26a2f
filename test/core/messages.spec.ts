import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { done, encodeMessage } from '@app/messaging';
import type { JobDefinition } from '@app/contracts';
import { startCore, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';

describe('the core', () => {
  let core: Core;

  afterEach(() => core.close());

  function message(definition: JobDefinition, id: string, dispatch: number) {
    const rest = { priority: 2, orderKey: null, at: new Date(), traceparent: null };
    return encodeMessage({ ...definition, id, dispatch, ...rest });
  }

  it('dispatches a single lost message again although the queue is never idle', async () => {
    const job = plainJob({ concurrency: 2 });
    const handle = async () => {
      await delay(20); // At least one job is always running, as under steady load.
      return done({ n: 1 });
    };
    core = await startCore([[job, handle]], { reconcileMs: 30, forgottenAfterMs: 200 });
    const publish = core.driver.publish.bind(core.driver);
    let lost: string | undefined;
    core.driver.publish = (messages) =>
      publish(messages.filter(({ id, dispatch }) => dispatch > 1 || id !== (lost ??= id)));

    const first = await core.enqueue(job, { n: 0 });
    const isBack = async () => (await core.read(first)).state === 'completed';
    // Four open jobs for two slots: a job always runs, and the queue does not grow.
    let open = 0;
    core.signals.on('settled', () => (open -= 1));
    const started = performance.now();
    while (!(await isBack()) && performance.now() - started < 10_000) {
      for (; open < 4; open += 1) await core.enqueue(job, { n: 1 });
      await core.next('settled');
    }
    expect(lost).toBe(first);
    expect(await core.read(first)).toMatchObject({ state: 'completed', attempt: 1 });
  });

  it.each([
    ['a NUL in the kind', { type: 'no\0such.v1' }, 'unknown_kind'],
    ['a dispatch that is out of range', { dispatch: 3_000_000_000 }, 'malformed'],
  ])('dead-letters a message with %s', async (_, field, reason) => {
    const job = plainJob();
    core = await startCore([[job, () => Promise.resolve(done({ n: 1 }))]]);
    const deadLettered = core.next('dead_lettered');
    void core.broker.publishRaw(job.queue, { ...message(job, '019e0000-0000-7000-8000-000000000000', 1), ...field });
    expect((await deadLettered)[1]).toBe(reason);
    expect((await core.pool.query('SELECT reason FROM dead_letter')).rows).toEqual([{ reason }]);
  });

  describe('with an event of another service', () => {
    const from = (definition: JobDefinition, data: unknown) => ({
      specversion: '1.0',
      id: 'order-4711',
      source: 'https://shop.example.com/orders',
      type: `${definition.kind}.v1`,
      data,
    });

    const deadLetters = async () =>
      (await core.pool.query('SELECT reason, kind, source, octet_length(raw) > 0 AS "hasBytes" FROM dead_letter')).rows;

    /** Makes PostgreSQL refuse rows of a table, for a reason that is not in the rows. */
    async function refuseRowsOf(table: string): Promise<() => Promise<unknown>> {
      await core.pool.query(`
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          RAISE EXCEPTION 'permission denied' USING ERRCODE = '42501';
        END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION refuse()`);
      return () => core.pool.query(`DROP TRIGGER refuse ON ${table}`);
    }

    it('enqueues a job as soon as PostgreSQL accepts it, and makes no dead letter before', async () => {
      const job = plainJob();
      core = await startCore([[job, () => Promise.resolve(done({ n: 1 }))]]);
      const restore = await refuseRowsOf('job');
      let refusals = 0;
      const refusedTwice = core.next('database_away', (what) => what === 'adopt' && (refusals += 1) === 2);
      const deadLettered = core.next('dead_lettered');
      await core.broker.publishRaw(job.queue, from(job, { n: 1 }));
      await Promise.race([refusedTwice, deadLettered]);
      expect(await deadLetters()).toEqual([]);
      const settled = core.next('settled');
      await restore();
      expect((await settled)[1]).toMatchObject({ state: 'completed' });
      expect(await deadLetters()).toEqual([]);
    });

    it.each([
      ['a valid event', 'job', 'adopt', { n: 1 }],
      ['an invalid event', 'dead_letter', 'dead-letter', { n: 'many' }],
    ])('leaves %s at the broker when the worker stops while PostgreSQL refuses it', async (_, table, what, data) => {
      const job = plainJob();
      core = await startCore([[job, () => Promise.resolve(done({ n: 1 }))]]);
      await refuseRowsOf(table);
      const refused = core.next('database_away', (statement) => statement === what);
      const gaveUp = [core.next('delivery_failed'), core.next('dead_lettered')];
      await core.broker.publishRaw(job.queue, from(job, data));
      await Promise.race([refused, ...gaveUp]);
      await core.worker.drain();
      expect(await core.driver.depth(job.queue)).toBe(1);
    });

    it.each([
      ['jsonb cannot store', 'payload_invalid', {}],
      [
        'raises an error in our code',
        'intake_failed',
        {
          orderBy: () => {
            throw new TypeError('not a function');
          },
        },
      ],
    ])('dead-letters an event that %s as %s, with its bytes', async (_, reason, overrides) => {
      const job = { ...plainJob(overrides), payload: z.any() };
      core = await startCore([[job, () => Promise.resolve(done({ n: 1 }))]]);
      const deadLettered = core.next('dead_lettered');
      await core.broker.publishRaw(job.queue, from(job, { text: 'a\0b' }));
      await deadLettered;
      const { source } = from(job, 1);
      expect(await deadLetters()).toEqual([{ reason, kind: job.kind, source, hasBytes: true }]);
      expect(await core.driver.depth(job.queue)).toBe(0);
    });
  });
});
