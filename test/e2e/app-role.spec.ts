import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Client } from 'pg';
import { freshDatabase, onServer, projectFolder, type TestDatabase } from '../support/postgres';
import { anEmail, TestSystem } from '../support/system';
import { until } from '../support/until';

describe('the role that npm run migrate creates for the apps', () => {
  const role = `app ${randomUUID()}`;
  let database: TestDatabase;
  let appUrl: string;

  beforeAll(async () => {
    database = await freshDatabase();
    const url = new URL(database.url);
    url.username = encodeURIComponent(role);
    url.password = encodeURIComponent(`it's %40 "secret"`);
    appUrl = url.href;
    // Twice: the second time, the role exists.
    for (let n = 1; n <= 2; n += 1) expect(migrate(appUrl)).toEqual({ status: 0, stderr: '' });
  });

  afterAll(async () => {
    await onServer(database.url, (client) => client.query(`DROP OWNED BY "${role}"`));
    await database.drop();
    await onServer(process.env['TEST_POSTGRES_URL']!, (client) => client.query(`DROP ROLE "${role}"`));
  });

  function migrate(DATABASE_APP_URL: string) {
    const { status, stderr } = spawnSync(process.execPath, [join(projectFolder, 'dist/scripts/migrate/main.js')], {
      env: { PATH: process.env['PATH'], DATABASE_URL: database.url, DATABASE_APP_URL },
      encoding: 'utf8',
    });
    return { status, stderr };
  }

  it('has the rights that every app needs, with BullMQ on PostgreSQL', async () => {
    const apps = [
      'api',
      'relay',
      'email-worker',
      'sms-worker',
      'report-worker',
      'sync-worker',
      'image-worker',
      'webhook-worker',
    ];
    const system = await TestSystem.start({ databaseUrl: appUrl, apps });
    try {
      const requests: [route: string, body: object][] = [
        ['/v1/emails', anEmail()],
        ['/v1/sms', { to: '+4915112345678', text: 'Hello' }],
        ['/v1/reports', { type: 'orders', format: 'csv' }],
        ['/v1/sync-runs', { source: 'products' }],
      ];
      for (const [route, body] of requests) {
        const { status } = await fetch(`${system.url()}${route}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        expect([route, status]).toEqual([route, 202]);
      }
      await until(
        'all jobs are completed',
        () => system.jobsByState(),
        ({ completed = 0 }) => completed >= requests.length,
        60_000,
      );
    } finally {
      await system.stop();
    }
  });

  it.each([
    'CREATE TABLE mine (id int)',
    'ALTER TABLE job ADD COLUMN mine int',
    'DROP TABLE job',
    'TRUNCATE job',
    'CREATE SCHEMA mine',
    'CREATE ROLE mine',
    'SELECT * FROM _prisma_migrations',
    `COPY job TO PROGRAM 'cat'`,
    'TRUNCATE bullmq.job',
    'ALTER TABLE bullmq.job ADD COLUMN mine int',
  ])('may not run: %s', async (statement) => {
    const client = new Client({ connectionString: appUrl });
    await client.connect();
    await expect(client.query(statement)).rejects.toThrow(/permission denied|must be owner/);
    await client.end();
  });

  it('may not be the owner of the tables', () => {
    expect(migrate(database.url)).toEqual({
      status: 1,
      stderr: expect.stringMatching(/^migrate: DATABASE_APP_URL: expected a user of its own[^\n]+\n$/),
    });
  });
});
