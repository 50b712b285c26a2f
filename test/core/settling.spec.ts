import { done, retry, type JobContext, type Outcome } from '@app/messaging';
import { startCore, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';

describe('settling', () => {
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

  it('retry with a time of its own waits that long', async () => {
    const started: number[] = [];
    await run((attempt) => {
      started.push(performance.now());
      return attempt === 1 ? retry('later', '250ms') : done({ n: 1 });
    });
    expect(started[1]! - started[0]!).toBeGreaterThanOrEqual(250);
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

  describe('a settlement whose answer is lost', () => {
    const namesOf = (core: Core) => {
      const names: string[] = [];
      for (const name of ['fenced', 'settled'] as const) core.events.on(name, () => names.push(name));
      return names;
    };

    it('is told as settled where the transaction of the handler has committed', async () => {
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

    it.each(['completed', 'queued'] as const)('is told as settled where the ledger has written %s', async (state) => {
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
      expect(names).toEqual(state === 'queued' ? ['settled', 'settled'] : ['settled']);
    });
  });

  it('a handler that finishes although it was asked to stop has finished', async () => {
    const job = await run(async (_attempt, { signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return done({ n: 42 });
    });
    expect(job).toMatchObject({ state: 'completed', attempt: 1 });
  });
});
