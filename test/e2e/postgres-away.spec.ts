import { Load } from '../support/load';
import { freshDatabase } from '../support/postgres';
import { startProxy, type Proxy } from '../support/proxy';
import { anEmail, onEachBackend, testSessions, TestSystem } from '../support/system';
import { until } from '../support/until';

onEachBackend('a system whose PostgreSQL fails', (backend) => {
  let proxy: Proxy;
  let system: TestSystem;
  let dropDatabase: () => Promise<void>;

  beforeAll(async () => {
    const database = await freshDatabase();
    dropDatabase = () => database.drop();
    const throughProxy = new URL(database.url);
    proxy = await startProxy(Number(throughProxy.port));
    throughProxy.port = String(proxy.port);
    system = await TestSystem.start({ backend, databaseUrl: throughProxy.href });
  });

  afterAll(async () => {
    await system.stop();
    await proxy.close();
    await dropDatabase();
  });

  // Also after a test that has failed: the next one starts with a database that answers.
  afterEach(() => proxy.restore());

  const workGoesOn = async (): Promise<void> => {
    const before = (await system.effects()).size;
    await until(
      'work is going on',
      () => system.effects(),
      ({ size }) => size > before + 20,
    );
  };

  it.each(['cut', 'freeze'] as const)(
    'answers every request with 503, loses no accepted job and recovers by itself (%s)',
    async (fault) => {
      const load = new Load(system, 4);
      await workGoesOn();

      proxy[fault]();
      const answers = await Promise.all(
        Array.from({ length: 50 }, async (_, n) => {
          const started = performance.now();
          const { status, headers, body } = await system.post('/v1/emails', anEmail(n));
          return { status, code: body.code, retryAfter: headers.get('retry-after'), ms: performance.now() - started };
        }),
      );
      for (const { status, code, retryAfter, ms } of answers) {
        expect({ status, code, retryAfter }).toEqual({ status: 503, code: 'database_unavailable', retryAfter: '1' });
        // A caller waits once, at most 2.7 s (libs/ledger/src/ledger-pool.spec.ts): a busy machine adds to that, a second
        // wait would double it.
        expect(ms).toBeLessThan(5_000);
      }
      expect((await system.get('/health/live')).status).toBe(200);
      expect((await system.get('/health/ready')).status).toBe(503);
      expect((await system.get('/v1/jobs')).status).toBe(503);
      expect((await system.get('/dev/mailbox')).status).toBe(503);

      proxy.restore();
      await until(
        'ready again',
        () => system.get('/health/ready'),
        ({ status }) => status === 200,
      );
      const accepted = await load.stop();
      const { rows } = await system.pool.query<{ id: string }>('SELECT id FROM job');
      const ids = new Set(rows.map(({ id }) => id));
      expect([...accepted].filter((id) => !ids.has(id))).toEqual([]);
      await until(
        'every job is completed',
        () => system.jobsByState(),
        (states) => states['completed'] === ids.size && Object.keys(states).length === 1,
        90_000,
      );
      expect((await system.effects()).size).toBe(ids.size);
      for (const child of system.processes.values()) expect(child.exitCode).toBeNull();
    },
  );

  it('keeps all processes running and continues when the server ends all connections, as at a restart', async () => {
    const load = new Load(system, 4);
    await workGoesOn();
    for (let round = 0; round < 3; round += 1) {
      await system.pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name <> $1`,
        [testSessions],
      );
      const before = load.accepted.size;
      await until(
        'accepting again',
        () => Promise.resolve(load.accepted.size),
        (size) => size > before + 5,
      );
    }
    await load.stop();
    await until(
      'every job is completed',
      () => system.jobsByState(),
      (states) => Object.keys(states).join() === 'completed',
      90_000,
    );
    const ids = new Set((await system.pool.query<{ id: string }>('SELECT id FROM job')).rows.map(({ id }) => id));
    expect([...load.accepted].filter((id) => !ids.has(id))).toEqual([]);
    expect((await system.effects()).size).toBe(ids.size);
  });
});
