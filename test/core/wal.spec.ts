import type { PoolClient } from 'pg';
import { jobDefinitions } from '@app/contracts';
import { claim, createLedgerPool, enqueue, removePublished, settle, takeDue, workerPool } from '@app/persistence';
import { freshDatabase } from '../support/postgres';

const jobs = 1_000;
const group = 50;
const tenant = 'test';

/** What the indexes of the lists have replaced: one by tenant, and two of single states. */
const replaced = `
  DROP INDEX job_by_state;
  DROP INDEX job_deferred;
  CREATE INDEX job_by_tenant ON job (tenant, id);
  CREATE INDEX job_open ON job (state, broker, queue) WHERE state IN ('waiting', 'queued', 'active');
  CREATE INDEX job_failed ON job (tenant, id) WHERE state = 'failed'`;

interface Wal {
  /** For one job, commit records apart. */
  readonly bytes: number;
  /** Whole pages, which PostgreSQL writes after a checkpoint. */
  readonly pages: number;
}

const ofDatabase = 'datname = current_database()';

/** Of all kinds, from the enqueue through outbox and claim to the end. */
async function run(client: PoolClient, count: number): Promise<void> {
  for (let n = 0; n < count; n += group) {
    const dispatches = [];
    for (let place = n; place < n + group; place += 1) {
      const definition = jobDefinitions[place % jobDefinitions.length]!;
      const work = { definition, broker: 'bullmq', maxAttempts: 5, payload: { place } };
      const options = {
        priority: 2,
        delayMs: undefined,
        runAt: undefined,
        traceparent: undefined,
        orderKey: undefined,
      };
      const job = { ...work, ...options, tenant, idempotency: undefined, children: [] };
      dispatches.push({ id: (await enqueue(client, job)).id, dispatch: 1 });
    }
    await removePublished(client, await takeDue(client, 'bullmq', group));
    expect(await claim(client, dispatches, 30_000)).not.toContain(undefined);
    const end = { state: 'completed', delayMs: 0, attemptChange: 0, result: {}, error: undefined } as const;
    await settle(
      client,
      dispatches.map((dispatch) => ({ ...dispatch, ...end })),
    );
  }
}

async function walOfJobs(change = ''): Promise<Wal> {
  const database = await freshDatabase();
  const pool = createLedgerPool(database.url, 'wal', workerPool, 1);
  const client = await pool.connect();
  try {
    await client.query(change);
    await client.query('ALTER TABLE job SET (autovacuum_enabled = off)');
    await run(client, group);
    await client.query(`SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE ${ofDatabase}), 0)`);
    await run(client, jobs);
    const { rows } = await client.query<Wal>(
      `SELECT (sum(wal_bytes) / ${jobs})::float8 AS bytes, sum(wal_fpi)::float8 AS pages FROM pg_stat_statements
        WHERE query LIKE 'WITH %' AND dbid = (SELECT oid FROM pg_database WHERE ${ofDatabase})`,
    );
    return rows[0]!;
  } finally {
    client.release();
    await pool.end();
    await database.drop();
  }
}

describe('the WAL of a job', () => {
  it('is no more than with the indexes that those of the lists have replaced', async () => {
    let [now, before] = [await walOfJobs(), await walOfJobs(replaced)];
    // A checkpoint has come between, such as that of a neighbour who drops a database.
    for (let again = 0; again < 5 && now.pages !== before.pages; again += 1) {
      [now, before] = [await walOfJobs(), await walOfJobs(replaced)];
    }
    if (process.env['SHOW_OUTPUT']) console.info(JSON.stringify({ now, before }));
    expect(now.bytes).toBeGreaterThan(1_000);
    expect(now.bytes).toBeLessThanOrEqual(before.bytes);
  });
});
