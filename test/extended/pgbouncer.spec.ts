import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { readApps } from '../../scripts/start/apps';
import { startPgBouncer, type PgBouncer } from '../support/pgbouncer';
import { freshDatabase, onServer, projectFolder, type TestDatabase } from '../support/postgres';
import { anEmail, TestSystem, type Backend } from '../support/system';
import { until } from '../support/until';

const redisUrl = process.env['TEST_REDIS_URL'];
const backends: readonly Backend[] = redisUrl === undefined ? ['bullmq-postgres'] : ['bullmq-postgres', 'bullmq-redis'];

describe('with PgBouncer in front of PostgreSQL', () => {
  let database: TestDatabase;
  let bouncer: PgBouncer | undefined;
  let system: TestSystem | undefined;

  beforeEach(async () => {
    database = await freshDatabase();
  });

  afterEach(async () => {
    await system?.stop();
    await bouncer?.stop();
    system = bouncer = undefined;
    await database.drop();
  });

  const cases = [true, false].flatMap((ignores) => backends.map((backend) => ({ ignores, backend })));

  async function run(script: string, environment: NodeJS.ProcessEnv): Promise<{ code: number | null; said: string }> {
    const child = spawn(process.execPath, [join(projectFolder, script)], {
      env: { PATH: process.env['PATH'], TZ: process.env['TZ'], NODE_ENV: 'test', LOG_LEVEL: 'warn', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    }
    const [code] = (await once(child, 'exit')) as [number | null];
    return { code, said };
  }

  async function emailMs(): Promise<number> {
    const startedAt = performance.now();
    const id = await system!.promised('/v1/emails', anEmail());
    await until(
      'it is completed',
      async () => (await system!.get(`/v1/jobs/${id}`)).body.state,
      (state) => state === 'completed',
    );
    return performance.now() - startedAt;
  }

  it.each(cases)(
    'the system works in session mode: parameters ignored $ignores, $backend',
    async ({ ignores, backend }) => {
      bouncer = await startPgBouncer(database.url, { mode: 'session', ignores });
      system = await TestSystem.start({ backend, databaseUrl: bouncer.url(database.url) });
      await emailMs();
      // Notifications arrive: polling alone would take half a second and more.
      const times = [await emailMs(), await emailMs(), await emailMs(), await emailMs(), await emailMs()];
      expect(Math.min(...times)).toBeLessThan(500);
      const { body } = await system.get('/v1/jobs');
      for (const { createdAt } of body.items) expect(Math.abs(Date.parse(createdAt) - Date.now())).toBeLessThan(60_000);
      const migrated = await run('dist/scripts/migrate/main.js', {
        DATABASE_URL: bouncer.url(database.url),
        ...(backend === 'bullmq-redis' && { REDIS_URL: redisUrl }),
      });
      expect(migrated).toEqual({ code: 0, said: '' });
    },
  );

  it.each([
    ...cases.map((each) => ({ mode: 'transaction' as const, ...each })),
    { mode: 'statement' as const, ...cases[0]! },
  ])(
    'every process refuses $mode mode in one sentence: parameters ignored $ignores, $backend',
    async ({ mode, ignores, backend }) => {
      bouncer = await startPgBouncer(database.url, { mode, ignores });
      const environment = {
        DATABASE_URL: bouncer.url(database.url),
        ...(backend === 'bullmq-redis' && { REDIS_URL: redisUrl }),
      };
      const scripts = readApps(projectFolder).map(({ name }) => `dist/apps/${name}/src/main.js`);
      for (const script of ['dist/scripts/migrate/main.js', ...scripts]) {
        const { code, said } = await run(script, environment);
        expect(said).toMatch(/^[\w-]+: DATABASE_URL: expected .* pool_mode=session .*\n$/);
        expect(code).toBe(1);
      }
    },
  );

  it('the API refuses connection parameters that the pooler refuses, and a pooler that is too small', async () => {
    bouncer = await startPgBouncer(database.url, { mode: 'session', ignores: false, poolSize: 1 });
    const url = bouncer.url(database.url);
    const refused = await run('dist/apps/api/src/main.js', { DATABASE_URL: `${url}?options=-d%205` });
    expect(refused.said).toMatch(/^api: DATABASE_URL: the pooler .* refuses the connection: .*options.*\n$/);
    const small = await run('dist/apps/api/src/main.js', { DATABASE_URL: url });
    expect(small.said).toMatch(/^api: DATABASE_URL: .* raise default_pool_size.*\n$/);
    expect([refused.code, small.code]).toEqual([1, 1]);
  });

  it('LISTEN and BullMQ use DATABASE_DIRECT_URL, and keep their connections when the pooler stops', async () => {
    bouncer = await startPgBouncer(database.url, { mode: 'session', ignores: true });
    const url = bouncer.url(database.url);
    system = await TestSystem.start({ databaseUrl: url, environment: { DATABASE_DIRECT_URL: database.url } });
    await emailMs();
    await bouncer.stop();
    bouncer = undefined;
    const names = new Set<string>();
    await onServer(database.url, async (client) => {
      const { rows } = await client.query(
        'SELECT DISTINCT application_name AS name FROM pg_stat_activity WHERE datname = current_database()',
      );
      for (const { name } of rows) names.add(name as string);
    });
    expect([...names]).toEqual(expect.arrayContaining(['api listen', 'relay listen']));
    expect([...names].some((name) => /bullmq|^bull/.test(name))).toBe(true);
    expect([...names]).not.toContain('relay');
  });
});
