import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '../../scripts/postgres/free-port';

export interface PrivateRedis {
  readonly url: string;
  readonly port: number;
  /** SIGKILL: what was not written to a disk is gone, and nothing is. */
  readonly kill: () => Promise<void>;
}

export type FoundBroker =
  | { readonly found: true; readonly url: string; readonly stop: () => Promise<void> }
  | { readonly found: false; readonly howToGet: string };

/** Redis by its variable, else by a local binary that runs for this test run alone. */
export async function findRedis(): Promise<FoundBroker> {
  const url = process.env['REDIS_URL'];
  if (url) return { found: true, url, stop: () => Promise.resolve() };
  if (spawnSync('redis-server', ['--version']).error) {
    return { found: false, howToGet: 'Install it (Debian: apt-get install redis-server) or set REDIS_URL.' };
  }
  const redis = await startRedis();
  return { found: true, url: redis.url, stop: redis.kill };
}

/** A Redis that keeps nothing on disk. */
export async function startRedis(port?: number): Promise<PrivateRedis> {
  const onPort = port ?? (await freePort());
  const child = spawn(
    'redis-server',
    ['--port', `${onPort}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('Ready to accept connections')) resolve();
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`redis-server ended with code ${code}:\n${said}`)));
  });
  return {
    url: `redis://127.0.0.1:${onPort}`,
    port: onPort,
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
