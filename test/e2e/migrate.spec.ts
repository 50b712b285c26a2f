import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { freshDatabase, projectFolder, type TestDatabase } from '../support/postgres';
import { until } from '../support/until';

describe('npm run migrate', () => {
  let database: TestDatabase;
  let installation: string;
  const clients: Client[] = [];

  beforeEach(async () => {
    database = await freshDatabase();
    installation = mkdtempSync(join(tmpdir(), 'migrate-'));
    for (const folder of ['dist/scripts', 'dist/libs', 'prisma']) {
      cpSync(join(projectFolder, folder), join(installation, folder), { recursive: true });
    }
    symlinkSync(join(projectFolder, 'node_modules'), join(installation, 'node_modules'), 'dir');
  });

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end()));
    await database.drop();
    rmSync(installation, { recursive: true, force: true });
  });

  async function connect(name: string): Promise<Client> {
    const client = new Client({ connectionString: database.url, application_name: name });
    await client.connect();
    clients.push(client);
    return client;
  }

  /** A migration of the next version. */
  function addMigration(name: string, sql: string): void {
    const folder = join(installation, 'prisma/migrations', name);
    mkdirSync(folder);
    writeFileSync(join(folder, 'migration.sql'), sql);
  }

  function migrate(): { child: ChildProcess; output: () => string; code: Promise<number | null> } {
    let printed = '';
    const child = fork(join(installation, 'dist/scripts/migrate/main.js'), {
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
    addMigration('20990101000000_core_note', 'ALTER TABLE schedule ADD COLUMN note text;');
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
    expect(output()).toContain('migration 20990101000000_core_note applied');
    await request.query('SELECT note FROM schedule');
  });

  it('applies a migration completely or not at all', async () => {
    const client = await connect('a test');
    // The first two statements could run.
    addMigration(
      '20990101000000_core_note',
      `ALTER TABLE schedule ADD COLUMN note text;
       CREATE INDEX schedule_by_note ON schedule (note);
       ALTER TABLE schedule ADD COLUMN name text;`,
    );
    const { code, output } = migrate();
    expect(await code).toBe(1);
    expect(output()).toContain('column "name" of relation "schedule" already exists');
    const { rows } = await client.query(
      `SELECT attname FROM pg_attribute WHERE attrelid = 'schedule'::regclass AND attname = 'note'`,
    );
    expect(rows).toEqual([]);
  });

  it('refuses a database of earlier migrations in one sentence that says how to get another, and changes nothing', async () => {
    const client = await connect('a test');
    await client.query(
      `UPDATE _prisma_migrations
          SET migration_name = CASE WHEN migration_name LIKE '%_core' THEN '20261123000000_ledger'
                                    ELSE replace(migration_name, '20261208', '20261207') END`,
    );
    const records = async () => (await client.query('SELECT * FROM _prisma_migrations ORDER BY migration_name')).rows;
    const before = await records();
    const { code, output } = migrate();
    expect(await code).toBe(1);
    const names = before.map(({ migration_name: name }) => name as string);
    expect(output()).toMatch(
      new RegExp(
        `^migrate: expected a database that is empty or has the migration 20261208000000_core, found one of an earlier version, with ${names.length} other migrations: 20261123000000_ledger to ${names.at(-1)}\\. [^\\n]+ Use an empty database[^\\n]+DATA_DIR[^\\n]+\\n$`,
      ),
    );
    expect(await records()).toEqual(before);
  });

  it('accepts a database of a later version, as an earlier version does that runs beside it', async () => {
    const client = await connect('a test');
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count)
       VALUES ('later', 'sum', now(), '20990101000000_core_note', 1)`,
    );
    const { code, output } = migrate();
    expect([await code, output()]).toEqual([0, '']);
  });
});
