import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { UnusableFolder } from '@app/configuration';
import { systemEnvironment } from '../system-environment.cjs';
import { complaintIn, run } from './binaries';
import { prepareFolder, type PostgresLocation } from './location';

const startMs = 30_000;
const clientsLeaveMs = 10_000;

export interface RunningPostgres {
  /** The address of the database `postgres`, with the superuser's password. */
  readonly url: string;
  readonly process: ChildProcess;
  /** Waits up to 10 s for its clients to disconnect, as draining apps do; then disconnects the rest. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL from the programs of an npm package. Creates a database first when the folder has none.
 * @param settings server settings by name, added to ours
 * @throws Error in one sentence; UnusableFolder when a file could not be written
 */
export async function startPostgres(
  location: PostgresLocation,
  port: number,
  settings: Record<string, string> = {},
): Promise<RunningPostgres> {
  try {
    prepareFolder(location);
    return await startIn(location, port, settings);
  } catch (error) {
    throw asRefusal(location.folder, error);
  }
}

function asRefusal(folder: string, error: unknown): Error {
  const { code, syscall = '', message } = error as NodeJS.ErrnoException;
  if (error instanceof UnusableFolder) return error;
  if (code !== undefined && !syscall.startsWith('spawn')) return new UnusableFolder('DATA_DIR', folder, error);
  const advice = 'Correct that, or set DATA_DIR to another folder.';
  return new Error(`PostgreSQL cannot run in ${folder}: ${message}. ${advice}`, { cause: error });
}

async function startIn(
  { binaries, folder, user }: PostgresLocation,
  port: number,
  settings: Record<string, string>,
): Promise<RunningPostgres> {
  const data = join(folder, 'postgres');
  if (!existsSync(join(data, 'PG_VERSION'))) await createDatabase();
  await stopOrphan();

  const all: Record<string, string> = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    ...settings,
  };
  const child = spawn(
    binaries.postgres,
    ['-D', data, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    {
      ...user,
      cwd: folder,
      env: systemEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: process.platform !== 'win32',
      windowsHide: true,
    },
  );
  await untilReady(child);
  return {
    url: urlAt(folder, port),
    process: child,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      const stopIn = (mode: 'smart' | 'fast', wait: '-w' | '-W') =>
        run(binaries.pgCtl, ['stop', '-D', data, '-m', mode, wait], user, folder);
      await stopIn('smart', '-W');
      const left = await Promise.race([ended.then(() => true), delay(clientsLeaveMs, false, { ref: false })]);
      if (!left) await stopIn('fast', '-w');
      await ended;
    },
  };

  /** Creates the database beside its final place and then moves it there, so that existing data are never touched. */
  async function createDatabase(): Promise<void> {
    if (existsSync(data)) {
      throw new Error(`${data} exists and is not a database of this project; nothing was changed`);
    }
    const unfinished = `${data}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true }); // An interrupted first start has left this folder.
    mkdirSync(unfinished, { mode: 0o700 });
    const passwordFile = passwordFileIn(folder);
    writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
    if (user) for (const path of [unfinished, passwordFile]) chownSync(path, user.uid, user.gid);
    const options = [
      `--pgdata=${unfinished}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      process.platform === 'linux' ? '--locale=C.UTF-8' : '--no-locale',
      '--no-sync',
    ];
    await run(binaries.initdb, options, user, folder);
    renameSync(unfinished, data);
  }

  /**
   * Stops a PostgreSQL that still runs on this folder because its keeper was killed. Its pid may by now belong to
   * another program, so it is stopped only when it answers as the server of this folder; otherwise its pid file is a
   * leftover.
   */
  async function stopOrphan(): Promise<void> {
    const orphanUrl = lastUrlIn(folder);
    if (orphanUrl === undefined) return;
    const client = new Client({ connectionString: orphanUrl, connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    const answers = await client.connect().then(
      () => true,
      () => false,
    );
    await client.end().catch(() => undefined);
    if (answers) await run(binaries.pgCtl, ['stop', '-D', data, '-m', 'fast', '-w'], user, folder);
    else rmSync(pidFileIn(folder), { force: true });
  }
}

/**
 * @returns the address of the PostgreSQL that runs on this folder, or ran there when it was killed; undefined when
 *   there was none
 */
export function lastUrlIn(folder: string): string | undefined {
  if (!existsSync(pidFileIn(folder))) return undefined;
  return urlAt(folder, Number(readFileSync(pidFileIn(folder), 'utf8').split('\n')[3]));
}

const pidFileIn = (folder: string) => join(folder, 'postgres', 'postmaster.pid');

const passwordFileIn = (folder: string) => join(folder, 'postgres-password');

function urlAt(folder: string, port: number): string {
  return `postgres://postgres:${readFileSync(passwordFileIn(folder), 'utf8')}@127.0.0.1:${port}/postgres`;
}

/** @throws Error with PostgreSQL's output when it ends, or takes longer than 30 s */
async function untilReady(child: ChildProcess): Promise<void> {
  let said = '';
  const ready = new Promise<void>((resolve, reject) => {
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-10_000);
      if (/ready to accept (read-only )?connections/.test(text)) resolve();
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`PostgreSQL ended with code ${code}: ${complaintIn(said)}`)));
  });
  const late = delay(startMs, undefined, { ref: false }).then(() => {
    throw new Error(`PostgreSQL was not ready within ${startMs} ms: ${complaintIn(said)}`);
  });
  await Promise.race([ready, late]);
}
