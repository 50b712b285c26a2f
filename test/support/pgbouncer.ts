import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../scripts/postgres/free-port';

export interface PgBouncer {
  /** The same database, through the pooler. */
  url(databaseUrl: string): string;
  stop(): Promise<void>;
}

export interface PgBouncerOptions {
  readonly mode: 'session' | 'transaction' | 'statement';
  /** Whether the pooler ignores unknown start-up parameters, or refuses connections with them. */
  readonly ignores: boolean;
  readonly poolSize?: number;
}

/** PgBouncer of Debian, with one user for a test. It does not run as root. */
export async function startPgBouncer(
  serverUrl: string,
  { mode, ignores, poolSize = 100 }: PgBouncerOptions,
): Promise<PgBouncer> {
  const server = new URL(serverUrl);
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'pgbouncer-'));
  chmodSync(folder, 0o755);
  const users = join(folder, 'users.txt');
  const ini = join(folder, 'pgbouncer.ini');
  writeFileSync(users, `"${server.username}" "${decodeURIComponent(server.password)}"\n`);
  const ignored = ['extra_float_digits', ...(ignores ? ['options', 'statement_timeout', 'lock_timeout'] : [])];
  writeFileSync(
    ini,
    `[databases]
* = host=127.0.0.1 port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = ${mode}
default_pool_size = ${poolSize}
max_client_conn = 500
ignore_startup_parameters = ${ignored.join()}
`,
  );
  const isRoot = process.getuid?.() === 0;
  const child = spawn('pgbouncer', [ini], {
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(isRoot && { uid: 65534, gid: 65534 }),
  });
  let said = '';
  const ready = new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('process up')) resolve();
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`PgBouncer ended with code ${code}:\n${said}`)));
  });
  await ready;
  return {
    url: (databaseUrl) => {
      const url = new URL(databaseUrl);
      url.port = String(port);
      return url.href;
    },
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGQUIT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
