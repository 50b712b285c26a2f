import fc from 'fast-check';
import { z } from 'zod';
import type { Duration } from '@app/contracts';
import { done, retry, snooze, type JobContext, type Outcome } from '@app/messaging';
import { startCore, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';
import { refuseOnce } from '../support/refuse-once';
import { until } from '../support/until';

describe('settling a job', () => {
  let core: Core;
  let runs: number;

  async function run(
    handle: (attempt: number, context: JobContext) => Outcome | Promise<Outcome>,
    { attempts, onStart }: { attempts?: number; onStart?: (started: Core) => void } = {},
  ) {
    const job = plainJob({ timeoutMs: 300, ...(attempts && { attempts }) });
    runs = 0;
    core = await startCore([[job, (_job, context) => Promise.resolve().then(() => handle((runs += 1), context))]]);
    onStart?.(core);
    const ended = core.next('settled', (_, { state }) => state !== 'queued');
    const id = await core.enqueue(job, { n: 21 });
    await ended;
    return core.read(id);
  }

  afterEach(() => core.close());

  it('retries after the delay that the handler gives', async () => {
    const started: number[] = [];
    await run((attempt) => {
      started.push(performance.now());
      return attempt === 1 ? retry('later', '250ms') : done({ n: 1 });
    });
    expect(started[1]! - started[0]!).toBeGreaterThanOrEqual(250);
  });

  it('is repeated when PostgreSQL cannot write it for now', async () => {
    const job = await run(() => done({ n: 42 }), {
      onStart: (started) => {
        // Fails once: the disk is full.
        void refuseOnce(started.pool, '53100', 'could not extend file');
      },
    });
    expect(runs).toBe(1);
    expect(job).toMatchObject({ state: 'completed', attempt: 1, result: { n: 42 } });
    expect((await core.pool.query<{ last: number }>('SELECT last_value::int AS last FROM attempts')).rows).toEqual([
      { last: 2 },
    ]);
  });

  describe('when the answer of PostgreSQL is lost', () => {
    const namesOf = (core: Core) => {
      const names: string[] = [];
      for (const name of ['fenced', 'settled'] as const) core.signals.on(name, () => names.push(name));
      return names;
    };

    it('is reported as settled if the transaction of the handler was committed', async () => {
      let names: string[] = [];
      const job = await run(
        async (_attempt, { transaction }) => {
          await transaction(() => Promise.resolve(done({ n: 42 })));
          throw new Error('Connection terminated');
        },
        { onStart: (started) => (names = namesOf(started)) },
      );
      expect([job.state, runs, names]).toEqual(['completed', 1, ['settled']]);
    });

    it.each(['completed', 'queued'] as const)('is reported as settled if the ledger has written %s', async (state) => {
      let names: string[] = [];
      let lost = 0;
      const job = await run(
        (attempt) => (state === 'queued' && attempt === 1 ? retry('later', '1ms') : done({ n: 42 })),
        {
          onStart: (started) => {
            names = namesOf(started);
            const pool = started.pool as unknown as { query: (...args: unknown[]) => Promise<unknown> };
            const query = pool.query.bind(pool);
            jest.spyOn(pool, 'query').mockImplementation(async (...args: unknown[]) => {
              const answer = await query(...args);
              if ((args[0] as { name?: string }).name !== 'settle' || lost > 0) return answer;
              lost += 1;
              throw Object.assign(new Error('Connection terminated unexpectedly'), { code: '57P01' });
            });
          },
        },
      );
      expect([job.state, lost]).toEqual(['completed', 1]);
      // The write that got no answer is repeated after a pause; meanwhile the next attempt may have ended.
      const expected = state === 'queued' ? ['settled', 'settled'] : ['settled'];
      await until(
        'a signal of each attempt',
        () => Promise.resolve(names),
        () => names.length >= expected.length,
      );
      expect(names).toEqual(expected);
    });
  });

  it('accepts any duration that a handler may return', async () => {
    const units = fc.constantFrom('ms', 's', 'm', 'h', 'd', '');
    const durations = fc
      .sample(fc.tuple(fc.double({ min: 1e-4, max: 300, noNaN: true }), units), 40)
      .map(([number, unit]) => `${number.toFixed(6)}${unit}` as Duration)
      .concat('1.1h', '4.1m');
    const outcomes = [
      ...durations.flatMap((duration) => [snooze(duration), retry('not yet', duration)]),
      // A handler may build its outcome without snooze() or retry(), so a time may have fractions of a millisecond.
      { type: 'snooze', afterMs: 0.1 + 0.2 } as const,
      { type: 'retry', afterMs: 3_960_000.0000000005, reason: 'not yet' } as const,
    ];
    const job = plainJob();
    core = await startCore([[job, ({ payload }) => Promise.resolve(outcomes[(payload as { n: number }).n]!)]]);
    const settled = new Map<string, string>();
    const all = core.next('settled', ({ id }, { state }) => settled.set(id, state).size === outcomes.length);
    await Promise.all(outcomes.map((_, n) => core.enqueue(job, { n })));
    await all;
    expect([...new Set(settled.values())]).toEqual(['queued']);
  });

  it('retries a job whose handler returns no valid outcome, with an error that says what was expected', async () => {
    const returned: unknown[] = [
      { type: 'snooze', afterMs: Number.NaN },
      { type: 'retry', afterMs: -1, reason: 'a time in the past' },
      { type: 'later' },
      undefined,
    ];
    const job = plainJob();
    core = await startCore([
      [job, ({ payload }) => Promise.resolve(returned[(payload as { n: number }).n] as Outcome)],
    ]);
    for (const [n] of returned.entries()) {
      const settled = core.next('settled', ({ attempt }) => attempt === 1);
      await core.enqueue(job, { n });
      const [, { state, error }] = await settled;
      expect(state).toBe('queued');
      expect(error).toMatchObject({ code: 'handler_failed', message: expect.stringContaining('Expected') });
    }
  });

  it('reports a data exception that the result did not cause, and runs the job again after its lease has expired', async () => {
    let failure: unknown;
    const job = await run(() => done({ n: 42 }), {
      onStart: (started) => {
        started.signals.on('delivery_failed', (_delivery, error) => (failure = error));
        // Fails once: PostgreSQL refuses a value that is ours and not the handler's.
        void refuseOnce(started.pool, '22P02', 'invalid input syntax for type bigint');
      },
    });
    expect(failure).toMatchObject({ code: '22P02' });
    expect(job).toMatchObject({ state: 'completed', attempt: 2, result: { n: 42 } });
  });

  it('fails a job at the first attempt when its result cannot be stored, for any reason', async () => {
    const circle: unknown[] = [];
    circle.push(circle);
    const results = ['a\0b', 'a\ud800b', { 'a\0b': 1 }, 1n, circle];
    const job = { ...plainJob(), result: z.any() };
    core = await startCore([[job, ({ payload }) => Promise.resolve(done(results[(payload as { n: number }).n]))]]);
    for (const [n] of results.entries()) {
      const settled = core.next('settled');
      const id = await core.enqueue(job, { n });
      await settled;
      expect(await core.read(id)).toMatchObject({
        state: 'failed',
        attempt: 1,
        error: { code: 'result_not_storable', message: expect.stringContaining('The handler') },
      });
    }
  });

  it('completes a job whose handler finishes although it was aborted', async () => {
    const job = await run(async (_attempt, { signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return done({ n: 42 });
    });
    expect(job).toMatchObject({ state: 'completed', attempt: 1 });
  });
});
