import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../scripts/postgres/free-port';
import { projectFolder } from './postgres';
import { until } from './until';

/** It takes five seconds on an idle machine. */
const readyMs = 120_000;

/** Runs `npm start` as a user does. */
export interface Start {
  readonly url: string;
  readonly process: ChildProcess;
  /** Everything that it has printed so far. */
  output(): string;
  /** The ids of its living child processes and their descendants. */
  descendants(): number[];
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export interface StartOptions {
  /** false: the test checks output and exit code itself. */
  readonly untilReady?: boolean;
  readonly user?: { readonly uid: number; readonly gid: number };
  /** The project that is started. */
  readonly folder?: string;
  readonly args?: readonly string[];
}

export async function npmStart(
  environment: Record<string, string>,
  { untilReady = true, user, folder = projectFolder, args = [] }: StartOptions = {},
): Promise<Start> {
  const port = environment['PORT'] ?? String(await freePort());
  const child = spawn(process.execPath, [join(folder, 'dist/scripts/start/main.js'), ...args], {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      ...(process.env['TZ'] && { TZ: process.env['TZ'] }),
      LOG_LEVEL: 'warn',
      PORT: port,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: folder,
    ...user,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const start: Start = {
    url: `http://127.0.0.1:${port}`,
    process: child,
    output: () => output,
    descendants: () => descendantsOf(child.pid!),
    end: async (signal) => {
      child.kill(signal);
      return (await ended)[0];
    },
  };
  if (!untilReady) return start;
  try {
    await Promise.race([
      until(
        'it says that it is ready',
        () => Promise.resolve(output),
        (said) => /^ready /m.test(said),
        readyMs,
      ),
      ended.then(([code]) => Promise.reject(new Error(`It ended with code ${code}:\n${output}`))),
    ]);
    return start;
  } catch (error) {
    // A running process would keep the data folder locked for later tests.
    await start.end('SIGTERM');
    throw error;
  }
}

export function descendantsOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' });
  const pairs = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const found = [pid];
  for (const parent of found) found.push(...pairs.filter(([, ppid]) => ppid === parent).map(([child]) => child));
  return found.slice(1);
}

export function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
}

export function commandOf(pid: number): string {
  return spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
}

/** The address of the embedded PostgreSQL, from the environment of an app. */
export function databaseUrlOf(start: Start): string {
  const api = start.descendants().find((pid) => commandOf(pid).includes('apps/api'))!;
  return environmentOf(api)
    .split('\0')
    .find((line) => line.startsWith('DATABASE_URL='))!
    .slice('DATABASE_URL='.length);
}

/** The environment of a process: NAME=value, each ended by a NUL. Empty when the process has ended. */
export function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}
