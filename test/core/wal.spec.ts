import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PoolClient } from 'pg';
import { jobDefinitions } from '@app/features/catalogue';
import { claim, createLedgerPool, enqueue, DueRows, removePublished, settle, workerPool } from '@app/ledger';
import type { RunningPostgres } from '../../scripts/postgres/embedded-postgres';
import { freshDatabase, startTestPostgres } from '../support/postgres';

const jobs = 1_000;
const group = 50;
const tenant = 'test';

/** The indexes that the list indexes have replaced: one by tenant, and two of single states. */
const replaced = `
  DROP INDEX job_by_state;
  DROP INDEX job_deferred;
  CREATE INDEX job_by_tenant ON job (tenant, id);
  CREATE INDEX job_open ON job (state, broker, queue) WHERE state IN ('waiting', 'queued', 'active');
  CREATE INDEX job_failed ON job (tenant, id) WHERE state = 'failed'`;

const ofDatabase = 'datname = current_database()';

/** Runs jobs of all kinds from the enqueue through outbox and claim to completion. */
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
    await removePublished(client, await new DueRows('bullmq').take(client, group));
    expect(await claim(client, dispatches, 30_000)).not.toContain(undefined);
    const end = { state: 'completed', delayMs: 0, attemptChange: 0, result: {}, error: undefined } as const;
    await settle(
      client,
      dispatches.map((dispatch) => ({ ...dispatch, ...end })),
    );
  }
}

/** Bytes per job, without commit records. */
async function walOfAJob(server: string, change = ''): Promise<number> {
  const database = await freshDatabase(server);
  const pool = createLedgerPool(database.url, 'wal', workerPool, 1);
  const client = await pool.connect();
  try {
    await client.query(change);
    await run(client, group);
    await client.query(`SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE ${ofDatabase}), 0)`);
    await run(client, jobs);
    const { rows } = await client.query<{ bytes: number }>(
      `SELECT (sum(wal_bytes) / ${jobs})::float8 AS bytes FROM pg_stat_statements
        WHERE query LIKE 'WITH %' AND dbid = (SELECT oid FROM pg_database WHERE ${ofDatabase})`,
    );
    return rows[0]!.bytes;
  } finally {
    client.release();
    await pool.end();
    await database.drop();
  }
}

describe('the WAL of a job', () => {
  let folder: string;
  let postgres: RunningPostgres;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'wal-'));
    chmodSync(folder, 0o755);
    // Full-page writes and vacuum happen when other tests cause them, so they are off here.
    postgres = await startTestPostgres(folder, { fsync: 'off', full_page_writes: 'off', autovacuum: 'off' });
  });

  afterAll(async () => {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is not larger than with the indexes that the list indexes have replaced', async () => {
    const [now, before] = [await walOfAJob(postgres.url), await walOfAJob(postgres.url, replaced)];
    if (process.env['SHOW_OUTPUT']) console.info(JSON.stringify({ now, before }));
    expect(now).toBeGreaterThan(1_000);
    expect(now).toBeLessThanOrEqual(before);
  });
});
