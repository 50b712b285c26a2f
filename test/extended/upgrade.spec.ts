import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Client } from 'pg';
import { Load } from '../support/load';
import { freshDatabase, onServer, projectFolder, type TestDatabase } from '../support/postgres';
import { onEachBackend, TestSystem } from '../support/system';
import { until } from '../support/until';

function run(folder: string, program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with code ${status}: ${stderr}`);
  return stdout.trim();
}

/** The last commit without the newest migration: what runs when that migration is deployed. */
function lastRelease(): string {
  const folder = 'prisma/migrations';
  const [newest] = readdirSync(join(projectFolder, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
    .reverse();
  const args = ['log', '--diff-filter=A', '--format=%H', '-1', '--', `${folder}/${newest}`];
  return `${run(projectFolder, 'git', ...args)}~1`;
}

// A copy of the project may have no history.
(existsSync(join(projectFolder, '.git')) ? describe : describe.skip)('an upgrade while jobs run', () => {
  let old: string;

  beforeAll(() => {
    old = join(mkdtempSync(join(tmpdir(), 'upgrade-')), 'old');
    run(projectFolder, 'git', 'worktree', 'add', '--detach', old, lastRelease());
    run(old, 'npm', 'ci');
    run(old, 'npm', 'run', 'build');
  }, 300_000);

  afterAll(() => {
    run(projectFolder, 'git', 'worktree', 'remove', '--force', old);
    rmSync(join(old, '..'), { recursive: true, force: true });
  });

  onEachBackend('old and new processes side by side', (backend) => {
    let database: TestDatabase;
    let system: TestSystem;

    const migrate = (folder: string) =>
      spawn(process.execPath, [join(folder, 'dist/scripts/migrate/main.js')], {
        env: { PATH: process.env['PATH'], DATABASE_URL: database.url },
      });

    beforeAll(async () => {
      database = await freshDatabase();
      const name = new URL(database.url).pathname.slice(1);
      await onServer(process.env['TEST_POSTGRES_URL']!, async (client) => {
        await client.query(`DROP DATABASE ${name}`);
        await client.query(`CREATE DATABASE ${name}`);
      });
      const [code] = (await once(migrate(old), 'exit')) as [number];
      expect(code).toBe(0);
      system = await TestSystem.start({ backend, databaseUrl: database.url, apps: [] });
    }, 60_000);

    afterAll(async () => {
      await system.stop();
      await database.drop();
    });

    const completed = async () => (await system.jobsByState())['completed'] ?? 0;
    const more = async (what: string) => {
      const before = await completed();
      await until(what, completed, (now) => now > before + 20, 60_000);
    };

    it('lose no job and run none twice, and a long transaction holds up the migration and no job', async () => {
      const ofOld = (app: string) => join(relative(join(projectFolder, 'dist'), old), 'dist/apps', app, 'src/main');
      await Promise.all(
        ['api', 'relay', 'email-worker'].map((app) => system.launch(ofOld(app), app === 'api' ? 'api' : `old-${app}`)),
      );
      const apis = ['api'];
      const load = new Load(system, 4, (n) => apis[n % apis.length]!);
      await more('the old release works');

      const reader = new Client({ connectionString: database.url });
      await reader.connect();
      await reader.query('BEGIN');
      // As after a write to each table: this blocks a new column and a new index, and no job.
      const { rows } = await reader.query<{ tables: string }>(
        `SELECT string_agg(format('%I', tablename), ', ') AS tables FROM pg_tables WHERE schemaname = 'public'`,
      );
      await reader.query(`LOCK TABLE ${rows[0]!.tables} IN ROW EXCLUSIVE MODE`);
      const migration = migrate(projectFolder);
      let said = '';
      migration.stdout.setEncoding('utf8').on('data', (part: string) => (said += part));
      const ended = once(migration, 'exit') as Promise<[number]>;
      await until(
        'the migration waits for the transaction',
        () => Promise.resolve(said),
        (lines) => lines.includes('a lock was not available'),
      );
      await more('the old release works while the migration waits');
      expect(migration.exitCode).toBeNull();
      await reader.query('COMMIT');
      await reader.end();
      expect([(await ended)[0], said]).toEqual([0, expect.stringContaining('applied')]);
      await more('the old release works with the new tables');

      await Promise.all([
        system.launch('api', 'new-api'),
        system.launch('relay', 'new-relay'),
        system.launch('email-worker', 'new-email-worker'),
      ]);
      apis.push('new-api');
      await more('both releases work');
      // The old worker alone gets jobs of the new API, and the new one alone those of the old API.
      expect(await system.end('new-email-worker', 'SIGTERM')).toBe(0);
      await more('the old worker works alone');
      await system.launch('email-worker', 'new-email-worker');
      expect(await system.end('old-email-worker', 'SIGTERM')).toBe(0);
      expect(await system.end('old-relay', 'SIGTERM')).toBe(0);
      await more('the new worker and relay work with both APIs');

      const accepted = await load.stop();
      await until(
        'every job has ended',
        () => system.jobsByState(),
        (states) => states['completed'] === accepted.size,
        60_000,
      );
      expect(load.refusals).toEqual(new Map());
      const effects = [...(await system.effects()).values()];
      expect([effects.length, new Set(effects)]).toEqual([accepted.size, new Set([1])]);
    }, 240_000);
  });
});
