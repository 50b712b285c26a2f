import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from '../bench/measuring/statistics';
import { apiKeys, bearer, keys } from '../support/keys';
import { fillJobs, manyKinds } from '../support/many-jobs';
import { anEmail, TestSystem } from '../support/system';

const boards = 5;

/** Faster than Bull Board itself, which polls every 5 s. */
const pollEveryMs = 1_000;

/** Turns without boards and with them, so that other load on the machine affects both. */
const [turns, turnMs] = [4, 6_000];

/**
 * The delay when two processes compete for a CPU. A 503 of a caller, and the 1.3 s before it, are far above this
 * value.
 */
const noiseMs = 10;

const views = ['latest', 'active', 'waiting', 'delayed', 'completed', 'failed'];

describe('boards that poll with a million jobs', () => {
  let system: TestSystem;
  const polls = new Map<number, number>();
  let posts = 0;

  beforeAll(async () => {
    system = await TestSystem.start({ apps: ['api'], environment: { API_KEYS: apiKeys.join(',') } });
    await fillJobs(system.pool, 0, 1_000_000);
  });

  afterAll(() => system.stop());

  /** Polls until the time is over. The next turn uses other views. */
  async function watch(board: number, until: number): Promise<void> {
    await delay((board * pollEveryMs) / boards);
    for (let n = board; performance.now() < until; n += 1) {
      const next = delay(pollEveryMs);
      const query = `activeQueue=${manyKinds[n % manyKinds.length]}&status=${views[n % views.length]}&page=1&jobsPerPage=10`;
      const { status } = await system.request(`/admin/queues/api/queues?${query}`, { headers: bearer(keys.viewer) });
      polls.set(status, (polls.get(status) ?? 0) + 1);
      await next;
    }
  }

  /** @returns the milliseconds of each request */
  async function call(until: number): Promise<number[]> {
    const took: number[] = [];
    while (performance.now() < until) {
      const startedAt = performance.now();
      const { status } = await system.post('/v1/emails', anEmail((posts += 1)), bearer(keys.user));
      took.push(performance.now() - startedAt);
      expect(status).toBe(202);
      await delay(20);
    }
    return took;
  }

  async function turn(watchers: number): Promise<number[]> {
    const until = performance.now() + turnMs;
    const watching = Promise.all(Array.from({ length: watchers }, (_, board) => watch(board, until)));
    const took = await Promise.all(Array.from({ length: 4 }, () => call(until)));
    await watching;
    return took.flat();
  }

  it('get answers, read the counts once a second together, and do not raise the p95 of callers', async () => {
    await turn(1);
    const isCount = `query LIKE '%enum_range%' AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`;
    await system.pool.query(
      'SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)',
    );
    polls.clear();
    const [without, beside]: [number[], number[]] = [[], []];
    for (let n = 0; n < turns; n += 1) {
      without.push(...(await turn(0)));
      beside.push(...(await turn(boards)));
    }
    const { rows } = await system.pool.query<{ calls: number; ms: number }>(
      `SELECT sum(calls)::int AS calls, max(mean_exec_time) AS ms FROM pg_stat_statements WHERE ${isCount}`,
    );
    const p95 = { without: quantile(without, 0.95), beside: quantile(beside, 0.95) };
    console.info(JSON.stringify({ p95, posts: without.length + beside.length, polls: [...polls], counts: rows[0] }));

    expect([...polls.keys()]).toEqual([200]);
    expect(p95.beside).toBeLessThan(1.5 * p95.without + noiseMs);
    const seconds = (turns * turnMs) / 1_000;
    expect(polls.get(200)).toBeGreaterThan(2 * seconds);
    expect(rows[0]!.calls).toBeGreaterThan(0);
    // One more per turn, because the first read is at the beginning of a turn.
    expect(rows[0]!.calls).toBeLessThanOrEqual(seconds + turns);
  }, 600_000);
});
