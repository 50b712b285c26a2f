import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { runAfterExit } from '../brokers/server-process';
import { startPostgres, type RunningPostgres } from './embedded-postgres';
import { freePort } from './free-port';
import { locatePostgres } from './location';

interface TemporaryServer {
  readonly url: string;
  stop(): Promise<void>;
}

interface TemporaryDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/**
 * Starts the embedded PostgreSQL on a free port, in a folder that is deleted when it stops. It is killed when this
 * process is killed.
 */
export async function startTemporaryPostgres(projectFolder: string): Promise<TemporaryServer> {
  const folder = mkdtempSync(join(tmpdir(), 'node-message-queue-postgres-'));
  chmodSync(folder, 0o755); // Root runs PostgreSQL as another user, who must be able to enter the folder.
  const postgres = await startPostgres(locatePostgres(projectFolder, join(folder, 'data')), await freePort(), {
    fsync: 'off',
  });
  const takeBack = endAfterExit(postgres, folder);
  return {
    url: postgres.url,
    stop: async () => {
      takeBack();
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Ends a server and removes its folder if this process ends first.
 * @returns cancels it
 */
export function endAfterExit({ process: { pid } }: RunningPostgres, folder: string): () => void {
  return runAfterExit('sh', '-c', 'kill -QUIT "$1"; rm -rf "$2"', 'sh', `${pid!}`, folder);
}

/**
 * Creates a migrated, empty database.
 * @param server the address of any database of the server; its user must be allowed to create databases
 */
export async function createTemporaryDatabase(projectFolder: string, server: string): Promise<TemporaryDatabase> {
  const name = `temporary_${randomUUID().replaceAll('-', '')}`;
  await onServer(server, (client) => client.query(`CREATE DATABASE ${name}`));
  const url = urlOfDatabase(server, name);
  await migrateDatabase(projectFolder, url);
  return { url, drop: () => onServer(server, (client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`)) };
}

/** Runs `npm run migrate` in a separate process, because the schema engine keeps its process alive for 10 s. */
export async function migrateDatabase(projectFolder: string, url: string): Promise<void> {
  const child = fork(join(projectFolder, 'dist/scripts/migrate/main.js'), {
    env: { ...process.env, DATABASE_URL: url, DATABASE_DIRECT_URL: '', DATABASE_APP_URL: '', REDIS_URL: '' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`The migration of ${url} ended with code ${code}.`);
}

/** @returns the address of another database of the same server */
export function urlOfDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

/** Runs the work on a connection of its own. */
export async function onServer(url: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
