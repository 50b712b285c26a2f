import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { assertNoConnections } from './leaks';
import { binariesIn } from '../../scripts/postgres/binaries';
import { startPostgres, type RunningPostgres } from '../../scripts/postgres/embedded-postgres';
import { freePort } from '../../scripts/postgres/free-port';
import { locatePostgres } from '../../scripts/postgres/location';
import { migrateDatabase, onServer, urlOfDatabase } from '../../scripts/postgres/temporary-database';

export { onServer };

/** The same folder from the source, under Jest, and from dist/, in a benchmark. */
export const projectFolder = ['../..', '../../..']
  .map((up) => join(__dirname, up))
  .find((folder) => existsSync(join(folder, 'nest-cli.json')))!;

const template = 'migrated';

/**
 * Starts a private PostgreSQL with one migrated database. Each test gets a copy of it.
 * @param programs the folder with the `bin` of PostgreSQL, for a version other than the embedded one
 */
export async function startTestPostgres(
  folder: string,
  settings: Readonly<Record<string, string>> = {},
  programs?: string,
): Promise<RunningPostgres> {
  const location = locatePostgres(projectFolder, join(folder, 'data'));
  const binaries = programs === undefined ? location.binaries : binariesIn(programs);
  const postgres = await startPostgres({ ...location, binaries }, await freePort(), {
    max_connections: '400',
    // A time zone other than UTC: a session that does not set its own shows the difference.
    timezone: 'Asia/Kathmandu',
    shared_preload_libraries: 'pg_stat_statements',
    'pg_stat_statements.track_utility': 'on',
    ...settings,
  });
  await onServer(postgres.url, (client) => client.query(`CREATE DATABASE ${template}`));
  const url = urlOfDatabase(postgres.url, template);
  await migrateDatabase(projectFolder, url);
  await onServer(url, (client) => client.query('CREATE EXTENSION pg_stat_statements'));
  return postgres;
}

export interface TestDatabase {
  readonly url: string;
  /** @throws Error that names the clients with open connections */
  drop(): Promise<void>;
}

/** Creates a migrated, empty database. */
export async function freshDatabase(server = process.env['TEST_POSTGRES_URL']!): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await onServer(server, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
  return {
    url: urlOfDatabase(server, name),
    drop: () =>
      onServer(server, async (client) => {
        try {
          await assertNoConnections(urlOfDatabase(server, name), client);
        } finally {
          await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
        }
      }),
  };
}
