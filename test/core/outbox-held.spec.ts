import { done } from '@app/messaging';
import { DueRows, EventRows, removeEvents, removePublished, SearchPace, withClient } from '@app/ledger';
import { Client } from 'pg';
import { startCore, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';
import { until } from '../support/until';

describe('while another transaction stays open, so that PostgreSQL keeps all deleted rows,', () => {
  let core: Core;
  let other: Client;
  /** Every whole search counts as slow. */
  let due: DueRows;
  const job = plainJob();

  beforeEach(async () => {
    core = await startCore([[job, () => Promise.resolve(done({ n: 1 }))]], { relay: false, worker: false });
    other = new Client({ connectionString: core.databaseUrl });
    await other.connect();
    await other.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await other.query('SELECT pg_current_xact_id()');
    due = new DueRows('memory', new SearchPace(0));
  });

  afterEach(async () => {
    await other.end();
    await core.close();
  });

  /** Fills the outbox with rows that were due one after another, a millisecond apart. */
  const fill = (count: number, ago = '1 hour') =>
    core.pool.query(
      `INSERT INTO outbox (broker, queue, kind, version, job_id, dispatch, priority, publish_at)
       SELECT 'memory', 'queue', 'kind', 1, gen_random_uuid(), 1, 2, now() - $2::interval + n * interval '1 millisecond'
         FROM generate_series(1, $1::int) n`,
      [count, ago],
    );

  /** Takes rows and removes them, as if a broker had confirmed them. @returns how many */
  const publish = (limit: number): Promise<number> =>
    withClient(core.pool, async (client) => {
      await client.query('BEGIN');
      const rows = await due.take(client, limit);
      await removePublished(client, rows);
      await client.query('COMMIT');
      return rows.length;
    });

  /** Pages that the searches of one statement have read: how many in each. */
  async function pagesOf(pattern: string): Promise<{ calls: number; pages: number }> {
    const { rows } = await core.pool.query<{ calls: number; pages: number }>(
      `SELECT sum(calls)::int AS calls, (sum(shared_blks_hit + shared_blks_read) / sum(calls))::float8 AS pages
         FROM pg_stat_statements
        WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND query LIKE $1`,
      [pattern],
    );
    return rows[0]!;
  }

  it('the relay reads each published row in a few of its searches, not in all', async () => {
    await fill(20_000);
    await core.pool.query('SELECT pg_stat_statements_reset()');
    let published = 0;
    while (published < 20_000) published += await publish(100);
    const whole = await pagesOf('%head AS%LIMIT%FOR UPDATE SKIP LOCKED%');
    const fromCursor = await pagesOf('SELECT * FROM (%publish_at >= coalesce%FOR UPDATE SKIP LOCKED%');
    expect(whole.calls + fromCursor.calls).toBe(200);
    expect(fromCursor.calls).toBeGreaterThan(whole.calls);
    // A hundred rows, the lock of each, and the way through the index.
    expect(fromCursor.pages).toBeLessThan(2_000);
    expect(whole.pages).toBeGreaterThan(3 * fromCursor.pages);
  });

  it('the relay also finds what became due behind its place, and says when it will look', async () => {
    await fill(10);
    expect(await publish(100)).toBe(10);
    await fill(1, '2 hours');
    expect(await due.nextDueMs(core.pool)).toBeLessThanOrEqual(0);
    await until(
      'it is found',
      () => publish(100),
      (rows) => rows === 1,
    );
    expect(await publish(100)).toBe(0);
  });

  it('the relay takes rows again that it could not publish', async () => {
    await fill(10);
    const failed = withClient(core.pool, async (client) => {
      await client.query('BEGIN');
      await due.take(client, 100);
      throw new Error('The broker is away.');
    });
    await expect(failed).rejects.toThrow('The broker is away.');
    let published = 0;
    await until(
      'all are published',
      async () => (published += await publish(100)),
      (rows) => rows === 10,
    );
  });

  it('the relay takes events in the order of their ids, and also finds one that was committed late', async () => {
    const events = new EventRows('memory', ['kind'], new SearchPace(0));
    const add = (from: number, to: number) =>
      core.pool.query(
        `INSERT INTO event_outbox (id, kind, version, tenant, data)
         SELECT n, 'kind', 1, 'tenant', '{}' FROM generate_series($1::int, $2::int) n`,
        [from, to],
      );
    const ids: number[] = [];
    const take = (limit: number): Promise<number[]> =>
      withClient(core.pool, async (client) => {
        await client.query('BEGIN');
        const rows = await events.take(client, limit);
        await removeEvents(client, rows);
        await client.query('COMMIT');
        ids.push(...rows.map(({ rowId }) => Number(rowId)));
        return ids;
      });
    await add(2, 101);
    while (ids.length < 100) await take(10);
    await add(1, 1);
    await until(
      'it is found',
      () => take(10),
      () => ids.includes(1),
    );
    expect(ids).toEqual([...Array.from({ length: 100 }, (_, n) => n + 2), 1]);
  });
});
