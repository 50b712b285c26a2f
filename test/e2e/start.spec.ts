import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { freePort } from '../../scripts/postgres/free-port';
import { GatedMailServer } from '../support/gated-mail-server';
import { commandOf, databaseUrlOf, environmentOf, isAlive, npmStart, type Start } from '../support/start';
import { neighbourPorts } from '../support/neighbour-ports';
import { until } from '../support/until';

/** A data folder for one test, or for several tests that continue one another. */
function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'a path with spaces '));
  chmodSync(folder, 0o755);
  return folder;
}

/** Secrets that are not used here, and the processes that read them. The last one is not a setting of this system. */
const canaries: [variable: string, secret: string, holders: string[]][] = [
  ['SMS_TOKEN', 'canary-sms', ['sms-worker']],
  ['S3_SECRET_ACCESS_KEY', 'canary-s3', ['api', 'image-worker', 'relay', 'report-worker']],
  ['SIGNING_SECRET', 'canary-signing-secret-of-32-characters', ['api', 'webhook-worker']],
  ['AWS_SESSION_TOKEN', 'canary-aws', []],
];

describe('npm start', () => {
  let folder: string;
  const started: Start[] = [];
  /** The system that a test has left running. The next test uses it, or starts its own. */
  let running: Start | undefined;

  beforeAll(() => {
    folder = aFolder();
  });

  afterAll(async () => {
    for (const start of started) {
      if (start.process.exitCode === null && start.process.signalCode === null) await start.end('SIGTERM');
    }
    rmSync(folder, { recursive: true, force: true });
  });

  async function theRunning(): Promise<Start> {
    return (running ??= await start());
  }

  async function start(environment: Record<string, string> = {}, options?: Parameters<typeof npmStart>[1]) {
    const secrets = Object.fromEntries(canaries.map(([variable, secret]) => [variable, secret]));
    const one = await npmStart({ DATA_DIR: join(folder, 'data'), ...secrets, ...environment }, options);
    started.push(one);
    return one;
  }

  // Connections are not reused: the server closes idle ones, which may happen just when a test uses one again.
  const headers = { 'content-type': 'application/json', connection: 'close' };

  async function postEmail(url: string): Promise<string> {
    const answer = await fetch(`${url}/v1/emails`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ to: 'ada@example.com', subject: 'Hi', text: 'Hello' }),
    });
    expect(answer.status).toBe(202);
    return ((await answer.json()) as { id: string }).id;
  }

  const stateOf = async (url: string, id: string) =>
    ((await (await fetch(`${url}/v1/jobs/${id}`, { headers })).json()) as { state: string }).state;

  const sent = ({ url }: Start, id: string) =>
    until(
      'the email is sent',
      () => stateOf(url, id),
      (state) => state === 'completed',
    );

  const gone = (processes: readonly number[]) =>
    until(
      'they are gone',
      () => Promise.resolve(processes.filter(isAlive)),
      (alive) => alive.length === 0,
    );

  it('runs everything on an embedded PostgreSQL', async () => {
    const one = await theRunning();
    const id = await postEmail(one.url);
    await sent(one, id);
    expect(one.descendants().length).toBeGreaterThan(6);
    expect(one.output()).not.toMatch(/error/i);
  });

  it('holds fewer than 60 connections to PostgreSQL', async () => {
    const running = await theRunning();
    for (let n = 0; n < 50; n += 1) await postEmail(running.url);
    const client = new Client({ connectionString: databaseUrlOf(running) });
    await client.connect();
    const { rows } = await client.query<{ connections: number }>(
      `SELECT count(*)::int AS connections FROM pg_stat_activity WHERE backend_type = 'client backend'`,
    );
    await client.end();
    expect(rows[0]!.connections).toBeGreaterThan(5);
    expect(rows[0]!.connections).toBeLessThan(60);
  });

  it('refuses a data folder that is in use, and the running system continues', async () => {
    const running = await theRunning();
    const second = await start({}, { untilReady: false });
    await until(
      'it ends',
      () => Promise.resolve(second.process.exitCode),
      (code) => code !== null,
    );
    expect(second.process.exitCode).toBe(1);
    expect(second.output()).toContain(
      `is in use by another start (process ${running.process.pid}). Stop that one, or set`,
    );
    expect((await fetch(`${running.url}/health/ready`, { headers })).status).toBe(200);
  });

  it('gives a secret only to the processes that read it', async () => {
    const one = await theRunning();
    const holders = (canary: string) =>
      one
        .descendants()
        .filter((pid) => environmentOf(pid).includes(canary))
        .map((pid) => /apps\/([a-z-]+)\//.exec(commandOf(pid))?.[1] ?? commandOf(pid))
        .sort();
    for (const [variable, secret, apps] of canaries) expect([variable, holders(secret)]).toEqual([variable, apps]);
    const postgres = one.descendants().filter((pid) => !commandOf(pid).includes('/dist/apps/'));
    expect(postgres.length).toBeGreaterThan(2);
    for (const pid of postgres) expect(environmentOf(pid)).not.toContain('DATABASE_URL');
    expect(one.output()).not.toContain('canary');
  });

  it('restarts an app that died', async () => {
    const running = await theRunning();
    const [worker] = running.descendants().filter((pid) => commandOf(pid).includes('email-worker'));
    process.kill(worker!, 'SIGKILL');
    const id = await postEmail(running.url);
    await sent(running, id);
    expect(running.output()).toContain('email-worker ended (SIGKILL); it starts again in 500 ms');
  });

  it('stops, starts and kills the other processes on request of the API', async () => {
    const { url } = await theRunning();
    const order = async (name: string, action: string) => {
      const answer = await fetch(`${url}/dev/processes/${name}/${action}`, { method: 'POST' });
      const { items = [], code } = (await answer.json()) as { items?: Record<string, unknown>[]; code?: string };
      return { status: answer.status, code, process: items.find((process) => process['name'] === name) };
    };
    expect(await order('relay', 'stop')).toMatchObject({ status: 202, process: { state: 'stopped' } });
    const id = await postEmail(url);
    expect(await stateOf(url, id)).toBe('queued');
    expect(await order('relay', 'start')).toMatchObject({ status: 202, process: { state: 'running' } });
    await until(
      'the email is sent',
      () => stateOf(url, id),
      (state) => state === 'completed',
    );
    expect((await order('sms-worker', 'kill')).status).toBe(202);
    await until(
      'it was started again',
      async () => (await (await fetch(`${url}/dev/processes`)).json()) as { items: Record<string, unknown>[] },
      ({ items }) =>
        items.some(({ name, state, restarts }) => name === 'sms-worker' && state === 'running' && restarts === 1),
    );
    expect(await order('api', 'kill')).toMatchObject({ status: 404, code: 'process_unknown' });
    expect(await order('relay', 'burn')).toMatchObject({ status: 404, code: 'process_unknown' });
  });

  it('ends all processes with code 0 on SIGTERM, and the next start continues with the same data', async () => {
    const one = await theRunning();
    const id = await postEmail(one.url);
    const processes = one.descendants();
    const before = one.output().length;
    expect(await one.end('SIGTERM')).toBe(0);
    await gone(processes);
    const stopping = one.output().slice(before);
    expect(stopping).not.toMatch(/error/i);
    const stages = stopping.split('\n').filter((line) => /^stopping: [a-z-]+(, [a-z-]+)*$/.test(line));
    expect(stages).toEqual([
      'stopping: api',
      'stopping: relay',
      expect.stringContaining('email-worker'),
      'stopping: postgres',
    ]);

    running = await start();
    await sent(running, id);
  });

  it('runs all workers in one process with --one-process, serves their health, and ends with code 0 on SIGTERM', async () => {
    await running?.end('SIGTERM');
    running = undefined;
    const relayPort = await neighbourPorts(2);
    const one = await start({ HEALTH_PORT: String(relayPort) }, { args: ['--one-process'] });
    await sent(one, await postEmail(one.url));
    const workers = one.descendants().filter((pid) => commandOf(pid).includes('-worker'));
    expect(workers).toHaveLength(1);
    const health = await fetch(`http://127.0.0.1:${relayPort + 1}/health/ready`, { headers });
    const { status, dependencies } = (await health.json()) as { status: string; dependencies: { name: string }[] };
    expect(status).toBe('up');
    const queues = dependencies.map(({ name }) => name);
    expect(queues).toEqual(expect.arrayContaining(['bullmq: email', 'bullmq: image', 'bullmq: webhook']));
    expect(one.output()).not.toMatch(/error/i);
    const processes = one.descendants();
    expect(await one.end('SIGTERM')).toBe(0);
    await gone(processes);
  });

  it('says once how many jobs a draining worker finishes, and how long it waits at most', async () => {
    const mails = await GatedMailServer.start();
    const one = await start({ DATA_DIR: join(folder, 'draining'), SMTP_URL: mails.url, SHUTDOWN_GRACE_MS: '30000' });
    await postEmail(one.url);
    await mails.holds(1);
    const ended = one.end('SIGTERM');
    await until(
      'it says what it waits for',
      () => Promise.resolve(one.output()),
      (said) => said.includes('stopping: email-worker finishes 1 job, at most 25 s'),
    );
    mails.open();
    expect(await ended).toBe(0);
    expect(one.output().match(/email-worker finishes/g)).toHaveLength(1);
    await mails.close();
  });

  it('takes all processes with it when the supervisor is killed, and the next start continues with the same data', async () => {
    const before = await theRunning();
    const id = await postEmail(before.url);
    const processes = before.descendants();
    await before.end('SIGKILL');
    await gone(processes);

    running = await start();
    await sent(running, id);
  });

  it('finds and ends a PostgreSQL without its keeper before it starts the next one', async () => {
    const before = await theRunning();
    const processes = before.descendants();
    // All at once, the keeper of PostgreSQL first, so that no process is left to end PostgreSQL.
    const nodes = processes.filter((pid) => commandOf(pid).includes('/dist/'));
    const keeper = nodes.find((pid) => commandOf(pid).includes('postgres-keeper'))!;
    for (const pid of [keeper, before.process.pid!, ...nodes]) {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    }
    await gone(nodes);
    expect(processes.filter(isAlive).length).toBeGreaterThan(0);

    running = await start();
    expect(await stateOf(running.url, await postEmail(running.url))).toBeDefined();
    await gone(processes);
  });

  it('does not touch a folder in the place of the database that is not a database', async () => {
    const folder = aFolder();
    mkdirSync(join(folder, 'data/postgres'), { recursive: true });
    writeFileSync(join(folder, 'data/postgres/thesis.txt'), 'ten years');
    const refused = await start({ DATA_DIR: join(folder, 'data') }, { untilReady: false });
    await until(
      'it says why',
      () => Promise.resolve(refused.output()),
      (said) => said.includes('not a database of this project'),
    );
    await refused.end('SIGTERM');
    expect(readFileSync(join(folder, 'data/postgres/thesis.txt'), 'utf8')).toBe('ten years');
    rmSync(folder, { recursive: true });
  });

  it('refuses an occupied port with one sentence, before it starts any process', async () => {
    const port = await freePort();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const refused = await start({ PORT: String(port) }, { untilReady: false });
    await until(
      'it ends',
      () => Promise.resolve(refused.process.exitCode),
      (code) => code !== null,
    );
    expect(refused.process.exitCode).toBe(1);
    expect(refused.output().trim()).toBe(
      `Port ${port} is taken by another program. Stop it, or choose another port with the variable PORT.`,
    );
    await new Promise((resolve) => server.close(resolve));
  });

  it('names every configuration fault at once, before it starts any process', async () => {
    const refused = await start(
      { PORT: '99999', REDIS_URL: 'http://redis', LEASE_MS: 'long', NODE_ENV: 'production' },
      { untilReady: false },
    );
    await until(
      'it ends',
      () => Promise.resolve(refused.process.exitCode),
      (code) => code !== null,
    );
    expect(refused.process.exitCode).toBe(1);
    for (const name of ['PORT', 'REDIS_URL', 'LEASE_MS', 'DATABASE_URL'])
      expect(refused.output()).toContain(`- ${name}: `);
  });

  const asRoot = process.getuid?.() === 0 ? it : it.skip;

  asRoot('runs as an unprivileged user', async () => {
    const folder = aFolder();
    const nobody = { uid: 65_534, gid: 65_534 };
    chownSync(folder, nobody.uid, nobody.gid);
    const one = await start({ HOME: folder, DATA_DIR: join(folder, 'data') }, { user: nobody });
    const id = await postEmail(one.url);
    await sent(one, id);
    expect(await one.end('SIGINT')).toBe(0);
    rmSync(folder, { recursive: true });
  });
});
