import { freshDatabase, onServer, type TestDatabase } from '../support/postgres';
import { startProxy, type Proxy } from '../support/proxy';
import { anEmail, TestSystem } from '../support/system';
import { until } from '../support/until';

describe('connections to PostgreSQL that stay open and carry no data', () => {
  let proxy: Proxy;
  let system: TestSystem;
  let database: TestDatabase;

  beforeAll(async () => {
    database = await freshDatabase();
    const throughProxy = new URL(database.url);
    proxy = await startProxy(Number(throughProxy.port));
    throughProxy.port = String(proxy.port);
    system = await TestSystem.start({ databaseUrl: throughProxy.href });
  });

  afterAll(async () => {
    await system.stop();
    await proxy.close();
    await database.drop();
  });

  async function emailMs(n: number): Promise<number> {
    const startedAt = performance.now();
    const id = await system.promised('/v1/emails', anEmail(n));
    await until(
      'it is completed',
      async () => (await system.get(`/v1/jobs/${id}`)).body.state,
      (state) => state === 'completed',
    );
    return performance.now() - startedAt;
  }

  async function listening(): Promise<string[]> {
    const names: string[] = [];
    await onServer(database.url, async (client) => {
      const { rows } = await client.query(
        `SELECT DISTINCT application_name AS name FROM pg_stat_activity
          WHERE datname = current_database() AND state_change > now() - interval '10 seconds'`,
      );
      names.push(...rows.map(({ name }) => name as string));
    });
    return names;
  }

  it('are detected and replaced, and jobs run as fast as before', async () => {
    await emailMs(0);
    proxy.silence();
    // The first request may find that every connection is silent.
    await emailMs(1);
    await until(
      'five jobs in a row take less than the poll',
      async () => {
        const times: number[] = [];
        for (let n = 0; n < 5; n += 1) times.push(await emailMs(n));
        return times;
      },
      (times) => times.every((ms) => ms < 800),
      30_000,
    );
    expect(await listening()).toEqual(expect.arrayContaining(['api listen', 'relay listen']));
  });
});
