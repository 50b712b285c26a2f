import fc from 'fast-check';
import { transitions, type JobState } from '@app/contracts';
import {
  DueRows,
  cancelJob,
  claim,
  redispatchForgotten,
  redrive,
  removePublished,
  renewLeases,
  settle,
  sweepExpiredLeases,
  type ClaimedJob,
  type Dispatch,
  type Settlement,
} from '@app/ledger';
import { startCore, tenant, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';

/** One action of a caller, a relay, a broker or a worker, or a fault. */
type Step =
  | { do: 'enqueue'; key: 'a' | 'b' | undefined; delayMs: number }
  | { do: 'enqueue flow'; children: number }
  | { do: 'relay'; dies: 'not' | 'before the publish' | 'after the publish' }
  | { do: 'deliver'; which: number; keepsCopy: boolean }
  | { do: 'settle'; which: number; as: 'done' | 'retry' | 'snooze' | 'fail' | 'hand back' }
  | { do: 'worker dies'; which: number }
  | { do: 'heartbeat' }
  | { do: 'time passes' }
  | { do: 'sweep' }
  | { do: 'broker forgets' }
  | { do: 'reconcile' }
  | { do: 'cancel'; which: number }
  | { do: 'redrive' };

const which = fc.nat({ max: 20 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('enqueue' as const),
      key: fc.constantFrom('a' as const, 'b' as const, undefined),
      delayMs: fc.constantFrom(0, 0, 5_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('enqueue flow' as const), children: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('relay' as const),
      dies: fc.constantFrom(
        'not' as const,
        'not' as const,
        'before the publish' as const,
        'after the publish' as const,
      ),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('deliver' as const), which, keepsCopy: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      which,
      as: fc.constantFrom(
        'done' as const,
        'done' as const,
        'retry' as const,
        'snooze' as const,
        'fail' as const,
        'hand back' as const,
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('worker dies' as const), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), which }) },
  ...(['heartbeat', 'time passes', 'sweep', 'broker forgets', 'reconcile', 'redrive'] as const).map((name) => ({
    weight: 2,
    arbitrary: fc.constant({ do: name }),
  })),
);

const decisions: Record<Extract<Step, { do: 'settle' }>['as'], Omit<Settlement, 'id' | 'dispatch'>> = {
  done: { state: 'completed', delayMs: 0, attemptChange: 0, result: { n: 1 }, error: undefined },
  retry: {
    state: 'queued',
    delayMs: 1_000,
    attemptChange: 0,
    result: undefined,
    error: { code: 'handler_failed', message: 'no' },
  },
  snooze: { state: 'queued', delayMs: 1_000, attemptChange: -1, result: undefined, error: undefined },
  'hand back': { state: 'queued', delayMs: 0, attemptChange: -1, result: undefined, error: undefined },
  fail: {
    state: 'failed',
    delayMs: 0,
    attemptChange: 0,
    result: undefined,
    error: { code: 'refused_by_handler', message: 'never' },
  },
};

const leaseMs = 15_000;

/** The real statements of the ledger. The steps decide what the broker and the workers do. */
class World {
  private readonly jobs: string[] = [];
  private broker: Dispatch[] = [];
  /** Jobs that a worker holds, including workers whose lease expired without their knowledge. */
  private held: ClaimedJob[] = [];
  readonly completions = new Map<string, number>();

  constructor(
    private readonly core: Core,
    private readonly plain: ReturnType<typeof plainJob>,
    private readonly keyed: ReturnType<typeof plainJob>,
    private readonly parent: ReturnType<typeof plainJob>,
  ) {}

  async take(step: Step): Promise<void> {
    const { pool, jobs, clock } = this.core;
    switch (step.do) {
      case 'enqueue': {
        const definition = step.key ? this.keyed : this.plain;
        const n = step.key === 'a' ? 1 : 2;
        this.jobs.push((await jobs.enqueue(definition, { n }, { tenant, options: { delayMs: step.delayMs } })).id);
        return;
      }
      case 'enqueue flow': {
        const [first, ...rest] = Array.from({ length: step.children }, (_, n) => ({
          definition: this.plain,
          payload: { n },
        }));
        this.jobs.push((await jobs.enqueueFlow(this.parent, { n: 0 }, [first!, ...rest], { tenant })).id);
        return;
      }
      case 'relay':
        return this.relay(step.dies);
      case 'deliver': {
        const [index, message] = pick(this.broker, step.which);
        if (!message) return;
        if (!step.keepsCopy) this.broker.splice(index, 1);
        const [job] = await claim(pool, [message], leaseMs);
        if (!job) return;
        this.held.push(job);
        return this.assertAloneWithItsKey(job);
      }
      case 'settle': {
        const [index, job] = pick(this.held, step.which);
        if (!job) return;
        this.held.splice(index, 1);
        const retriesLeft = job.attempt < job.maxAttempts || step.as !== 'retry';
        const decision = decisions[retriesLeft ? step.as : 'fail'];
        const [state] = await settle(pool, [{ id: job.id, dispatch: job.dispatch, ...decision }]);
        if (state === 'completed') this.completions.set(job.id, (this.completions.get(job.id) ?? 0) + 1);
        return;
      }
      case 'worker dies':
        this.held.splice(pick(this.held, step.which)[0], 1);
        return;
      case 'heartbeat':
        await renewLeases(pool, this.held, leaseMs);
        return;
      case 'time passes':
        return clock!.advance('6s');
      case 'sweep':
        await sweepExpiredLeases(pool, [], () => true);
        return;
      case 'broker forgets':
        this.broker = [];
        return;
      case 'reconcile':
        for (const { queue } of [this.plain, this.keyed, this.parent]) {
          await redispatchForgotten(pool, 'memory', queue, 1_000, true);
        }
        return;
      case 'cancel': {
        const [, id] = pick(this.jobs, step.which);
        if (id) await cancelJob(pool, tenant, id);
        return;
      }
      case 'redrive':
        await redrive.run(pool, { ids: undefined, kind: undefined, broker: undefined, before: undefined, by: 'test' });
    }
  }

  private async relay(dies: Extract<Step, { do: 'relay' }>['dies']): Promise<void> {
    const client = await this.core.pool.connect();
    try {
      await client.query('BEGIN');
      const rows = await new DueRows('memory').take(client, 5);
      if (dies !== 'before the publish') this.broker.push(...rows.map(({ id, dispatch }) => ({ id, dispatch })));
      await removePublished(client, rows);
      await client.query(dies === 'not' ? 'COMMIT' : 'ROLLBACK');
    } finally {
      client.release();
    }
  }

  private async assertAloneWithItsKey({ id }: ClaimedJob): Promise<void> {
    const { rows } = await this.core.pool.query(
      `SELECT other.id FROM job JOIN job other USING (order_key)
        WHERE job.id = $1 AND other.id <> job.id AND other.state = 'active'`,
      [id],
    );
    expect(rows).toEqual([]);
  }

  /**
   * Runs the system without faults until every job is finished.
   * @throws when a job does not finish
   */
  async comeToRest(): Promise<void> {
    for (let round = 0; round < 60; round += 1) {
      const { rows } = await this.core.pool.query(
        `SELECT 'job' FROM job WHERE state IN ('waiting', 'queued', 'active') UNION SELECT 'outbox' FROM outbox`,
      );
      if (rows.length === 0) return;
      for (const name of ['time passes', 'sweep', 'reconcile'] as const) await this.take({ do: name });
      await this.take({ do: 'relay', dies: 'not' });
      while (this.broker.length > 0) await this.take({ do: 'deliver', which: 0, keepsCopy: false });
      while (this.held.length > 0) await this.take({ do: 'settle', which: 0, as: 'done' });
    }
    const stuck = await this.core.pool.query(`SELECT * FROM job WHERE state IN ('waiting', 'queued', 'active')`);
    throw new Error(`Stuck: ${JSON.stringify(stuck.rows)}`);
  }

  async assertNothingWrong(): Promise<void> {
    const { rows: jobs } = await this.core.pool.query<{
      id: string;
      state: JobState;
      parent_id: string | null;
      letters: number;
    }>(
      `SELECT id, state, parent_id, (SELECT count(*)::int FROM dead_letter WHERE job_id = job.id) AS letters FROM job`,
    );
    const states = new Map(jobs.map(({ id, state }) => [id, state]));
    expect(this.jobs.filter((id) => !states.has(id))).toEqual([]);
    for (const { id, state, letters, parent_id: parent } of jobs) {
      expect([id, this.completions.get(id) ?? 0]).toEqual([id, state === 'completed' ? 1 : 0]);
      if (state === 'failed') expect(letters).toBeGreaterThan(0);
      if (parent && states.get(parent) === 'completed') expect(state).toBe('completed');
    }
    const { rows: events } = await this.core.pool.query<{ job_id: string; state: JobState }>(
      `SELECT job_id, data->>'state' AS state FROM job_update WHERE type = 'state' ORDER BY job_id, sequence`,
    );
    const allowed = new Set(transitions.map(({ from, to }) => `${from} -> ${to}`));
    const seen = events.map(({ job_id: id, state }, index) => {
      const before = events[index - 1];
      return `${before?.job_id === id ? before.state : null} -> ${state}`;
    });
    expect(seen.filter((transition) => !allowed.has(transition))).toEqual([]);
    expect((await this.core.pool.query('SELECT FROM outbox')).rowCount).toBe(0);
  }
}

function pick<Item>(items: readonly Item[], n: number): [number, Item | undefined] {
  const index = items.length === 0 ? 0 : n % items.length;
  return [index, items[index]];
}

describe('any steps in any order', () => {
  let core: Core;

  afterEach(() => core.close());

  it('lose no job, leave no job stuck and complete no job twice', async () => {
    const plain = plainJob({ attempts: 2 });
    const keyed = plainJob({ attempts: 2, orderBy: ({ n }: { n: number }) => String(n) });
    const parent = plainJob({ attempts: 2 });
    const unused = () => Promise.reject(new Error('The steps do its work.'));
    core = await startCore(
      [
        [plain, unused],
        [keyed, unused],
        [parent, unused],
      ],
      { clock: true, relay: false, worker: false },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }), async (steps) => {
        await core.pool.query('TRUNCATE job, outbox, job_update, dead_letter, processed_message');
        const world = new World(core, plain, keyed, parent);
        for (const one of steps) await world.take(one);
        await world.comeToRest();
        await world.assertNothingWrong();
      }),
      {
        numRuns: Number(process.env['RUNS'] ?? 60),
        endOnFailure: false,
        interruptAfterTimeLimit: 120_000,
        markInterruptAsFailure: false,
      },
    );
  });
});
