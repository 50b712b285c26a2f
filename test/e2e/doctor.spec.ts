import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { brokerSettingNames, readSettings } from '@app/configuration';
import { startRedis } from '../../scripts/brokers/redis';
import { examinePostgres } from '../../scripts/doctor/postgres';
import { isUnreachable, nowhere, runDoctor } from '../support/doctor';
import { freshDatabase, projectFolder, type TestDatabase } from '../support/postgres';

const { TEST_REDIS_URL } = process.env;
const onlyWithRedis = TEST_REDIS_URL === undefined ? it.skip : it;

describe('npm run doctor', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await freshDatabase();
  });

  afterEach(() => database.drop());

  const doctor = (environment: NodeJS.ProcessEnv = {}) => runDoctor({ DATABASE_URL: database.url, ...environment });

  it('finds nothing in a migrated database but that its commits are not on disk, as in all tests', () => {
    const { status, failed, stdout } = doctor();
    expect([status, failed]).toEqual([1, [expect.stringMatching(/FAIL {2}commits are on disk: .* fsync=off/)]]);
    expect(stdout).toContain('Why: a 202 promises that the job survives a crash of the server');
    expect(stdout).toMatch(/\n\d+ passed, 1 failed\n$/);
  });

  it('names the migrations that are missing, and the command for them', async () => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query(
      `DELETE FROM _prisma_migrations WHERE migration_name = (SELECT max(migration_name) FROM _prisma_migrations)
       RETURNING migration_name`,
    );
    await client.end();
    const { failed, stdout } = doctor();
    expect(failed).toContain(`  FAIL  no migration is missing: ${rows[0].migration_name}`);
    expect(stdout).toContain('Do:  npm run migrate.');
  });

  it.each([
    ['only reads', 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM job'],
    ['has written and locks a row', `BEGIN; INSERT INTO schedule VALUES ('one', 'none', now())`],
  ])('names a transaction that %s and stays open', async (_, statements) => {
    const client = new Client({ connectionString: database.url, application_name: 'a forgotten psql' });
    await client.connect();
    await client.query(statements);
    const settings = readSettings(brokerSettingNames, { DATABASE_URL: database.url });
    const proceed: string[] = [];
    for await (const one of examinePostgres(settings, join(projectFolder, 'prisma/migrations'), 0)) {
      if (one.failed) proceed.push(`${one.saw} ${one.failed.proceed}`);
    }
    await client.end();
    expect(proceed).toContainEqual(
      expect.stringMatching(/^pid (\d+) \(a forgotten psql\) .*pg_terminate_backend\(\1\)$/),
    );
  });

  it('says what the role of the address may not see, and goes on', async () => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    await client.query("DROP ROLE IF EXISTS doctor_test; CREATE ROLE doctor_test LOGIN PASSWORD 'doctor'");
    const url = new URL(database.url);
    [url.username, url.password] = ['doctor_test', 'doctor'];
    const { failed, stdout } = doctor({ DATABASE_URL: url.href });
    await client.query('DROP ROLE doctor_test');
    await client.end();
    expect(failed).toContainEqual(expect.stringMatching(/no migration is missing: permission denied/));
    expect(failed).toContainEqual(expect.stringMatching(/no transaction is open .*: none of this role/));
    expect(stdout).toContain('ok    there are free connections');
  });

  onlyWithRedis('finds nothing in a Redis that evicts nothing, and names the policy of one that does', async () => {
    expect(doctor({ REDIS_URL: TEST_REDIS_URL }).failed).toHaveLength(1);
    const server = await startRedis();
    const redis = new Redis(server.url);
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    redis.disconnect();
    const { failed } = doctor({ REDIS_URL: server.url });
    await server.stop();
    expect(failed).toContain('  FAIL  it evicts nothing: maxmemory-policy noeviction: allkeys-lru');
  });

  it('says of each server why it cannot be reached, and which variable has its address', () => {
    const { stdout, failed } = doctor({ DATABASE_URL: `postgres://${nowhere}/none`, REDIS_URL: `redis://${nowhere}` });
    expect(failed).toEqual([isUnreachable, isUnreachable]);
    expect(stdout).toContain('Do:  compare DATABASE_URL with');
    expect(stdout).toContain('Do:  compare REDIS_URL with');
  });
});
