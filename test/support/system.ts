import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { Pool } from 'pg';
import supertest from 'supertest';
import { brokerSettingNames, readSettings } from '@app/configuration';
import { jobDefinitions } from '@app/features/catalogue';
import { type requestableBrokers } from '@app/contracts';
import { type BrokerSettings } from '@app/messaging';
import { wakeUpChannel } from '@app/ledger';
import { freePort } from '../../scripts/postgres/free-port';
import { cleanBrokers } from './clean-brokers';
import { freshDatabase, projectFolder } from './postgres';
import { until } from './until';

export const backends = ['bullmq-postgres', 'bullmq-redis', 'rabbitmq', 'kafka'] as const;

export type Backend = (typeof backends)[number];

/**
 * The address that a backend needs in addition to PostgreSQL. The variable with the prefix `TEST_` has the server of
 * the test run.
 */
const addressNames: Readonly<Partial<Record<Backend, string>>> = {
  'bullmq-redis': 'REDIS_URL',
  rabbitmq: 'RABBITMQ_URL',
  kafka: 'KAFKA_BROKERS',
};

/** Adds a describe block per backend. A backend without a broker is reported as skipped. */
export function onEachBackend(
  title: string,
  tests: (backend: Backend) => void,
  chosen: readonly Backend[] = backends,
): void {
  describe(title, () => {
    for (const backend of chosen) {
      const name = addressNames[backend];
      const isThere = name === undefined || process.env[`TEST_${name}`] !== undefined;
      (isThere ? describe : describe.skip)(`on ${backend}`, () => tests(backend));
    }
  });
}

export type Broker = (typeof requestableBrokers)[number];

const brokers: Readonly<Record<Backend, Broker>> = {
  'bullmq-postgres': 'bullmq',
  'bullmq-redis': 'bullmq',
  rabbitmq: 'rabbitmq',
  kafka: 'kafka',
};

/** The broker of the jobs of a system on this backend. */
export function brokerOf(backend: Backend): Broker {
  return brokers[backend];
}

/** Assigns every queue to one broker. */
export function jobBrokers(broker: Broker): string {
  return [...new Set(jobDefinitions.map(({ queue }) => `${queue}=${broker}`))].join();
}

function brokerEnvironment(backend: Backend): NodeJS.ProcessEnv {
  const name = addressNames[backend];
  return {
    ...(name !== undefined && { [name]: process.env[`TEST_${name}`] }),
    JOB_BROKERS: jobBrokers(brokerOf(backend)),
  };
}

export interface SystemOptions {
  readonly backend?: Backend;
  /** Replaces the server of the run. */
  readonly redisUrl?: string;
  readonly databaseUrl?: string;
  readonly apps?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
}

/** Fast recovery, so that tests need not wait for the times of production. */
const testTimes = {
  LEASE_MS: '2000',
  HEARTBEAT_MS: '200',
  SWEEP_MS: '200',
  RECONCILE_MS: '500',
  FORGOTTEN_AFTER_MS: '2000',
};

/** The `application_name` of the test's own connections: a test that ends the system's connections spares them. */
export const testSessions = 'test';

/** How long a process that is to kill itself may live. */
const doomedMs = 100_000;

/** The real processes of the system, with their own database and queues. */
export class TestSystem {
  readonly processes = new Map<string, ChildProcess>();
  /** The ports by process name. A restarted process listens on its old port. */
  private readonly ports = new Map<string, number>();
  private readonly chunks: string[] = [];
  /** Processes that ended by themselves, not because a test ended them. */
  private readonly died: string[] = [];
  private readonly doomed = new WeakSet<ChildProcess>();
  hasStopped = false;

  private constructor(
    readonly databaseUrl: string,
    readonly pool: Pool,
    private readonly environment: NodeJS.ProcessEnv,
    private readonly dropDatabase: () => Promise<void>,
  ) {}

  static async start(options: SystemOptions = {}): Promise<TestSystem> {
    const { apps = ['api', 'relay', 'email-worker'], backend = 'bullmq-postgres' } = options;
    const database = options.databaseUrl
      ? { url: options.databaseUrl, drop: () => Promise.resolve() }
      : await freshDatabase();
    const prefix = `t${process.pid}x${Math.random().toString(36).slice(2, 8)}`;
    const pool = new Pool({ connectionString: database.url, max: 2, application_name: testSessions });
    pool.on('error', () => undefined);
    const system = new TestSystem(
      database.url,
      pool,
      {
        PATH: process.env['PATH'],
        TZ: process.env['TZ'],
        NODE_ENV: 'test',
        DATABASE_URL: database.url,
        BULLMQ_PREFIX: prefix,
        BROKER_PREFIX: `${prefix}.`,
        LOG_LEVEL: 'warn',
        ...testTimes,
        ...brokerEnvironment(backend),
        ...(options.redisUrl !== undefined && { REDIS_URL: options.redisUrl }),
        ...options.environment,
      },
      () => database.drop(),
    );
    const launched = await Promise.allSettled(apps.map((app) => system.launch(app)));
    const failed = launched.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
    if (!failed) return system;
    // The test has no system to stop, so this function stops it.
    await system.stop();
    throw failed.reason;
  }

  /**
   * @param app one of the apps, or the path of a process of a test below the project folder
   * @param name its name in this system, if an app runs more than once
   */
  async launch(app: string, name = app, environment: NodeJS.ProcessEnv = {}): Promise<ChildProcess> {
    const port = /(^|\/apps\/)api(\/|$)/.test(app) ? (this.ports.get(name) ?? (await freePort())) : undefined;
    if (port) this.ports.set(name, port);
    for (let starts = 1; ; starts += 1) {
      const child = this.fork(app, name, { ...(port && { PORT: String(port) }), ...environment });
      this.processes.set(name, child);
      if (await isReady(child)) {
        child.once('exit', (code, signal) => {
          if (this.processes.get(name) !== child) return;
          if (this.doomed.has(child)) this.processes.delete(name);
          else this.died.push(`${name} died (${signal ?? `code ${code}`})`);
        });
        return child;
      }
      this.processes.delete(name);
      // On a busy machine the first contact may time out. The process then says that it has to start again.
      if (starts === 3 || !this.output.includes('has to start again')) {
        throw new Error(`${name} did not start:\n${this.output}`);
      }
    }
  }

  private fork(app: string, name: string, environment: NodeJS.ProcessEnv): ChildProcess {
    const script = app.includes('/') ? `dist/${app}.js` : `dist/apps/${app}/src/main.js`;
    const child = fork(join(projectFolder, script), {
      env: { ...this.environment, ...environment },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.chunks.push(`${name}: ${text}`);
        if (process.env['SHOW_OUTPUT']) process.stderr.write(`${name}: ${text}`);
      });
    }
    return child;
  }

  /**
   * Launches a process that is to kill itself.
   * @returns the process, and a promise of the time at which it ended
   */
  async launchDoomed(
    app: string,
    name: string,
    environment: NodeJS.ProcessEnv,
  ): Promise<{ child: ChildProcess; killed: Promise<number> }> {
    const child = await this.launch(app, name, environment);
    const killed = once(child, 'exit', { signal: AbortSignal.timeout(doomedMs) }).then(
      ([code, signal]) => {
        if (signal !== 'SIGKILL') throw new Error(`${name} ended with ${signal ?? `code ${code}`}:\n${this.output}`);
        return performance.now();
      },
      () => {
        throw new Error(`${name} has not killed itself within ${doomedMs} ms:\n${this.output}`);
      },
    );
    this.doomed.add(child);
    return { child, killed };
  }

  /** The settings with which a process reaches the brokers of this system. */
  get brokerSettings(): BrokerSettings {
    return readSettings(brokerSettingNames, this.environment);
  }

  url(name = 'api'): string {
    return `http://127.0.0.1:${this.ports.get(name)}`;
  }

  get output(): string {
    return this.chunks.join('').slice(-20_000);
  }

  get allOutput(): string {
    return this.chunks.join('');
  }

  /**
   * Ends one process and waits until it has ended.
   * @returns its exit code
   */
  async end(name: string, signal: NodeJS.Signals): Promise<number | null> {
    const child = this.processes.get(name)!;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    this.processes.delete(name);
    const ended = once(child, 'exit');
    child.kill(signal);
    const [code] = (await ended) as [number | null];
    return code;
  }

  async stop(): Promise<void> {
    this.hasStopped = true;
    await Promise.all([...this.processes.keys()].map((name) => this.end(name, 'SIGKILL')));
    await this.pool.end();
    await this.dropDatabase();
    await cleanBrokers(this.brokerSettings);
    this.assertAllAlive();
    // When Node warns of a listener leak, there is one, or something waits in the wrong place.
    if (this.allOutput.includes('MaxListenersExceededWarning')) throw new Error(this.output);
  }

  private assertAllAlive(): void {
    if (this.died.length > 0) throw new Error(`${this.died.join(', ')}:\n${this.output}`);
  }

  // Requests of callers, and what they see.

  async post(path: string, body: unknown, headers: Record<string, string> = {}, name = 'api'): Promise<Answer> {
    return this.request(path, { method: 'POST', body: JSON.stringify(body), headers }, name);
  }

  /**
   * Sends a request until it is accepted: after a 503 the caller sends it again with its key.
   * @returns the id of the job
   */
  async promised(path: string, body: object, key: string = randomUUID(), name = 'api'): Promise<string> {
    const answer = await until(
      'the API answers',
      () => this.post(path, body, { 'idempotency-key': key }, name),
      ({ status }) => status !== 503,
    );
    if (answer.status !== 202) throw new Error(`Expected 202, got ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body.id as string;
  }

  async get(path: string, name = 'api'): Promise<Answer> {
    return this.request(path, undefined, name);
  }

  async request(
    path: string,
    { method = 'GET', body, headers = {} }: { method?: string; body?: string; headers?: Record<string, string> } = {},
    name = 'api',
  ): Promise<Answer> {
    const asked = supertest(this.url(name))[method.toLowerCase() as 'get'](path);
    if (body !== undefined) asked.set('content-type', 'application/json');
    const answer = await asked.set(headers).send(body);
    const isJson = /[/+]json/.test(answer.type);
    return { status: answer.status, headers: new Headers(answer.headers), body: isJson ? answer.body : answer.text };
  }

  /** Makes a retry or a delay of this job due now and wakes the relay, so that no test waits for a back-off. */
  async makeDue(id: string): Promise<void> {
    await this.pool.query('UPDATE job SET run_at = now() WHERE id = $1 AND run_at > now()', [id]);
    await this.pool.query('UPDATE outbox SET publish_at = now() WHERE job_id = $1 AND publish_at > now()', [id]);
    await this.pool.query(`NOTIFY ${wakeUpChannel}`);
  }

  /** Waits until a job is in a state; it need not wait for the time of an attempt. @returns the job */
  reaches(id: string, state: string): Promise<Answer['body']> {
    return until(
      `the job is ${state}`,
      async () => {
        await this.makeDue(id);
        return (await this.get(`/v1/jobs/${id}`)).body;
      },
      (job) => job.state === state,
      60_000,
    );
  }

  /** The number of copies of every sent message, by message id. */
  async effects(): Promise<Map<string, number>> {
    const { rows } = await this.pool.query<{ message_id: string; copies: number }>(
      'SELECT message_id, count(*)::int AS copies FROM mailbox_message GROUP BY message_id',
    );
    return new Map(rows.map(({ message_id, copies }) => [message_id, copies]));
  }

  async jobsByState(): Promise<Record<string, number>> {
    this.assertAllAlive();
    const { rows } = await this.pool.query<{ state: string; count: number }>(
      'SELECT state, count(*)::int AS count FROM job GROUP BY state',
    );
    return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
  }
}

async function isReady(child: ChildProcess): Promise<boolean> {
  const ready = new Promise<boolean>((resolve) => {
    child.on('message', (message) => message === 'ready' && resolve(true));
  });
  return Promise.race([ready, once(child, 'close').then(() => false)]);
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Any, because the tests check the content of a body.
  readonly body: any;
}

export const anEmail = (n: number | string = 1) => ({
  to: `user${n}@example.com`,
  subject: `Number ${n}`,
  text: 'Hello',
});
