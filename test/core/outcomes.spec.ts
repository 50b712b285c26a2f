import { done, fail, retry, snooze, type JobContext, type Outcome } from '@app/messaging';
import { startCore, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';
import { until } from '../support/until';

describe('what a handler returns decides what becomes of its job', () => {
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

  it('done: completed, with the result, and its row in the dedupe table', async () => {
    const job = await run(() => done({ n: 42 }));
    expect(job).toMatchObject({ state: 'completed', attempt: 1, result: { n: 42 }, error: null });
    expect(job.progress.percent).toBe(100);
    const { rows } = await core.pool.query('SELECT consumer, message_id FROM processed_message');
    expect(rows).toEqual([{ consumer: job.kind, message_id: job.id }]);
  });

  it('a throw means retry, and the attempt after it succeeds', async () => {
    const job = await run((attempt) => {
      if (attempt === 1) throw new Error('the server was away');
      return done({ n: 42 });
    });
    expect(job).toMatchObject({ state: 'completed', attempt: 2 });
  });

  it('a throw at the last attempt is the end: failed, and a dead letter that says why', async () => {
    const job = await run(() => {
      throw new Error('the server is gone\0');
    });
    expect(runs).toBe(3);
    expect(job).toMatchObject({
      state: 'failed',
      attempt: 3,
      error: { code: 'attempts_exhausted', message: 'Attempt 3 of 3: the server is gone' },
    });
    const { rows } = await core.pool.query('SELECT job_id, reason, raw FROM dead_letter');
    expect(rows).toEqual([{ job_id: job.id, reason: 'attempts_exhausted', raw: null }]);
  });

  it('retry with a time of its own waits that long', async () => {
    const started: number[] = [];
    await run((attempt) => {
      started.push(performance.now());
      return attempt === 1 ? retry('later', '250ms') : done({ n: 1 });
    });
    expect(started[1]! - started[0]!).toBeGreaterThanOrEqual(250);
  });

  it('snooze does not count as an attempt', async () => {
    const job = await run((attempt) => (attempt <= 4 ? snooze('10ms') : done({ n: 1 })), { attempts: 1 });
    expect(runs).toBe(5);
    expect(job).toMatchObject({ state: 'completed', attempt: 1 });
  });

  it('fail is final at the first attempt', async () => {
    const job = await run(() => fail('no such address'));
    expect(runs).toBe(1);
    expect(job).toMatchObject({ state: 'failed', error: { code: 'refused_by_handler', message: 'no such address' } });
  });

  it('a result of another shape than promised fails', async () => {
    const job = await run(() => done({ m: 63 }));
    expect(job).toMatchObject({ state: 'failed', error: { code: 'result_invalid' } });
  });

  it('a settlement that PostgreSQL cannot write for now is written later', async () => {
    const job = await run(() => done({ n: 42 }), {
      onStart: (started) => {
        // Once: the disk is full.
        void started.pool.query(`
          CREATE SEQUENCE attempts;
          CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.state = 'completed' AND nextval('attempts') = 1 THEN
              RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100';
            END IF;
            RETURN NEW;
          END $$;
          CREATE TRIGGER refuse BEFORE UPDATE ON job FOR EACH ROW EXECUTE FUNCTION refuse()`);
      },
    });
    expect(runs).toBe(1);
    expect(job).toMatchObject({ state: 'completed', attempt: 1, result: { n: 42 } });
    expect((await core.pool.query<{ last: number }>('SELECT last_value::int AS last FROM attempts')).rows).toEqual([
      { last: 2 },
    ]);
  });

  it('a handler that takes too long is asked to stop, and tried again', async () => {
    const job = await run(async (attempt, { signal }) => {
      if (attempt > 1) return done({ n: 1 });
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
      return fail('not reached');
    });
    expect(job).toMatchObject({ state: 'completed', attempt: 2 });
    const { rows } = await core.pool.query(`SELECT data->'error'->>'code' AS code FROM job_event WHERE data ? 'error'`);
    expect(rows).toEqual([{ code: 'timed_out' }]);
  });

  it('a handler that finishes although it was asked to stop has finished', async () => {
    const job = await run(async (_attempt, { signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return done({ n: 42 });
    });
    expect(job).toMatchObject({ state: 'completed', attempt: 1 });
  });

  it('writes what the handler says of its progress while it runs', async () => {
    let progressOf!: () => Promise<unknown[]>;
    const job = await run(
      async (_attempt, context) => {
        context.progress(40, 'two of five');
        await until('the progress is written', progressOf, (events) => events.length > 0);
        return done({ n: 1 });
      },
      {
        onStart: (started) => {
          progressOf = async () =>
            (await started.pool.query(`SELECT data FROM job_event WHERE type = 'progress'`)).rows;
        },
      },
    );
    expect(await progressOf()).toEqual([{ data: { percent: 40, note: 'two of five' } }]);
    expect(job.progress).toEqual({ percent: 100, note: 'two of five' });
  });
});
