import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Client } from 'pg';
import { freshDatabase, projectFolder, type TestDatabase } from '../support/postgres';
import { until } from '../support/until';

describe('npm run migrate', () => {
  let database: TestDatabase;
  const clients: Client[] = [];

  beforeEach(async () => {
    database = await freshDatabase();
  });

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end()));
    await database.drop();
  });

  async function connect(name: string): Promise<Client> {
    const client = new Client({ connectionString: database.url, application_name: name });
    await client.connect();
    clients.push(client);
    return client;
  }

  function migrate(): { child: ChildProcess; output: () => string; code: Promise<number | null> } {
    let printed = '';
    const child = fork(join(projectFolder, 'dist/scripts/migrate/main.js'), {
      env: { ...process.env, DATABASE_URL: database.url, REDIS_URL: '' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
    }
    const code = once(child, 'exit').then(([ended]) => ended as number | null);
    return { child, output: () => printed, code };
  }

  it('lets requests pass while another session holds the table, names that session, and goes on when it ends', async () => {
    const reader = await connect('a report');
    const request = await connect('a request');
    await reader.query(`ALTER TABLE schedule DROP COLUMN last_at;
      DELETE FROM _prisma_migrations WHERE migration_name = '20261204000001_schedule_last'`);
    await reader.query('BEGIN');
    const { rows } = await reader.query('SELECT pg_backend_pid() AS pid, count(*) FROM schedule');

    const { output, code } = migrate();
    await until(
      'it names the session that holds the lock',
      () => Promise.resolve(output()),
      (output) => output.includes('again in'),
    );
    expect(output()).toMatch(
      new RegExp(
        `pid ${rows[0].pid} \\(a report, idle in transaction, .*SELECT pg_backend_pid.*pg_terminate_backend\\(${rows[0].pid}\\)`,
      ),
    );
    // Over several attempts of the migration, no request waits longer than one attempt.
    for (let n = 0; n < 20; n += 1) {
      const startedAt = performance.now();
      await request.query('SELECT count(*) FROM schedule');
      expect(performance.now() - startedAt).toBeLessThan(2_500);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await reader.query('COMMIT');
    expect(await code).toBe(0);
    expect(output()).toContain('migration 20261204000001_schedule_last applied');
    await request.query('SELECT last_at FROM schedule');
  });

  it('applies a migration completely or not at all', async () => {
    const client = await connect('a test');
    // The last statement of the migration fails on this table. The statements before it could run.
    await client.query(`DROP INDEX job_update_by_transaction; ALTER TABLE job_update RENAME TO job_event;
      ALTER TABLE job_event DROP COLUMN tenant, DROP COLUMN xid;
      CREATE TABLE job_event_by_transaction ();
      DELETE FROM _prisma_migrations WHERE migration_name = '20261126000000_live_progress'`);
    const { code, output } = migrate();
    expect(await code).toBe(1);
    expect(output()).toContain('job_event_by_transaction');
    const { rows } = await client.query(
      `SELECT attname FROM pg_attribute WHERE attrelid = 'job_event'::regclass AND attname IN ('tenant', 'xid')`,
    );
    expect(rows).toEqual([]);
  });
});
