import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startPostgres, type RunningPostgres } from '../../scripts/postgres/embedded-postgres';
import { freePort } from '../../scripts/postgres/free-port';
import { locatePostgres } from '../../scripts/postgres/location';
import { projectFolder, startTestPostgres } from '../support/postgres';
import { anEmail, TestSystem } from '../support/system';
import { until } from '../support/until';

/** A server that starts with a file `standby.signal` replays WAL until it is promoted (PostgreSQL manual, 27.2.4). */
describe('an API whose database is a standby', () => {
  let folder: string;
  let standby: RunningPostgres | undefined;
  let system: TestSystem | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'standby-'));
    chmodSync(folder, 0o755);
    const primary = await startTestPostgres(folder, { fsync: 'off' });
    await primary.stop();
    const location = locatePostgres(projectFolder, join(folder, 'data'));
    const signal = join(location.folder, 'postgres', 'standby.signal');
    writeFileSync(signal, '');
    // PostgreSQL removes the file at promotion.
    if (location.user) chownSync(signal, location.user.uid, location.user.gid);
    standby = await startPostgres(location, await freePort(), { max_connections: '400', hot_standby: 'on' });
    const databaseUrl = new URL(standby.url);
    databaseUrl.pathname = '/migrated';
    system = await TestSystem.start({ databaseUrl: databaseUrl.href, apps: ['api'] });
  });

  afterAll(async () => {
    await system?.stop();
    await standby?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(system!.url() + path, init);
    return { status: response.status, code: ((await response.json()) as { code?: string }).code };
  };
  const post = () =>
    ask('/v1/emails', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(anEmail()),
    });

  it('is not ready and refuses jobs until the standby is promoted', async () => {
    expect(await ask('/health/live')).toEqual({ status: 200, code: undefined });
    expect(await ask('/health/ready')).toEqual({ status: 503, code: 'database_read_only' });
    expect((await post()).status).toBe(503);

    const client = new Client({ connectionString: standby!.url });
    await client.connect();
    await client.query('SELECT pg_promote()');
    await client.end();

    await until(
      'the API is ready',
      () => ask('/health/ready'),
      ({ status }) => status === 200,
    );
    expect((await post()).status).toBe(202);
  });
});
