import { done } from '@app/messaging';
import { claim, createLedgerPool, workerPool } from '@app/ledger';
import { startCore, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';

describe('a worker that started with empty tables', () => {
  let core: Core;

  beforeEach(async () => {
    const job = plainJob();
    core = await startCore([[job, () => Promise.resolve(done({ n: 1 }))]], { relay: false, worker: false });
  });

  afterEach(() => core.close());

  /** Pages that claims have read since the last call. */
  async function pages(): Promise<number> {
    const { rows } = await core.pool.query<{ pages: number }>(
      `SELECT sum(shared_blks_hit + shared_blks_read)::int AS pages
         FROM pg_stat_statements
        WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND query LIKE 'WITH wanted AS%is_paused%'`,
    );
    await core.pool.query('SELECT pg_stat_statements_reset()');
    return rows[0]!.pages;
  }

  /** Many jobs, before PostgreSQL has counted them. */
  async function fill(): Promise<string> {
    const { rows } = await core.pool.query<{ id: string }>(
      `INSERT INTO job (id, tenant, kind, version, queue, broker, state, priority, max_attempts, run_at, payload)
       SELECT gen_random_uuid(), 'tenant', 'kind', 1, 'queue', 'memory', 'queued', 2, 3, now(), '{"n": 1}'
         FROM generate_series(1, 30000)
       RETURNING id`,
    );
    return rows[0]!.id;
  }

  it('claims by the index when they have grown, although its first plans did not', async () => {
    await core.pool.query('ALTER TABLE job SET (autovacuum_enabled = off)');
    const pool = createLedgerPool(core.databaseUrl, 'test', { ...workerPool, planLifeMs: 0 }, 1);
    const nothing = '019e0000-0000-7000-8000-000000000000';
    for (let n = 0; n < 10; n += 1) await claim(pool, [{ id: nothing, dispatch: 1 }], 1_000);
    const id = await fill();
    await pages();
    expect(await claim(pool, [{ id, dispatch: 1 }], 1_000)).toMatchObject([{ id }]);
    await pool.end();
    expect(await pages()).toBeLessThan(100);
  });

  it('plans its claims once in a while, not each time', async () => {
    const pool = createLedgerPool(core.databaseUrl, 'test', { ...workerPool, planLifeMs: 600_000 }, 1);
    const id = await fill();
    for (let n = 0; n < 50; n += 1) await claim(pool, [{ id, dispatch: n }], 1_000);
    const { rows } = await pool.query(
      `SELECT custom_plans::int, generic_plans::int FROM pg_prepared_statements WHERE name = 'claim'`,
    );
    await pool.end();
    // PostgreSQL tries five plans for given parameters before it compares them with one for all.
    expect(rows).toEqual([{ custom_plans: 5, generic_plans: 45 }]);
  });
});
