import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../postgres/free-port';
import { locatePostgres } from '../postgres/location';
import { readFileSync } from 'node:fs';
import { readApps } from './apps';
import { Child } from './child';
import { lockFolder } from './folder-lock';
import { ProcessControl } from './process-control';

/** Something that only the person at the keyboard can mend; its message says how. */
export class StartRefused extends Error {}

export interface SupervisorOptions {
  readonly projectFolder: string;
  /** Undefined: run the embedded PostgreSQL. */
  readonly databaseUrl: string | undefined;
  readonly dataFolder: string | undefined;
  readonly graceMs: number;
  readonly environment: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
}

/** Every process of the system on one machine: PostgreSQL, then the migrations, then all apps at once. */
export class Supervisor {
  private lock: Server | undefined;
  private postgres: Child | undefined;
  private apps: Child[] = [];
  private running: Promise<[number | null]> | undefined;
  private stopping = false;

  constructor(private readonly options: SupervisorOptions) {}

  /**
   * Resolves when all apps are ready.
   * @throws StartRefused
   */
  async start(): Promise<void> {
    const { projectFolder, say } = this.options;
    const environment: NodeJS.ProcessEnv = {
      ...this.options.environment,
      DATABASE_URL: this.options.databaseUrl ?? (await this.startPostgres()),
      // It would name another database than the embedded one.
      ...(this.options.databaseUrl === undefined && { DATABASE_DIRECT_URL: undefined }),
    };
    if (this.isStopping()) return;
    await this.runToEnd('migrate', [], environment);
    if (this.isStopping()) return;
    await this.seed(environment);
    if (this.isStopping()) return;
    this.apps = readApps(projectFolder).map(({ name, script }) => new Child(name, script, [], environment, say));
    if (environment['NODE_ENV'] !== 'production') new ProcessControl(this.apps[0]!, this.apps);
    await Promise.all(this.apps.map((app) => app.start()));
  }

  /** In order: the API, so that nothing new comes; the relay; the workers, which drain; PostgreSQL last. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    const patienceMs = this.options.graceMs + 5_000;
    const [api, relay, ...workers] = this.apps;
    await api?.stop(patienceMs);
    await relay?.stop(patienceMs);
    await Promise.all(workers.map((worker) => worker.stop(patienceMs)));
    await this.postgres?.stop(30_000);
    this.lock?.close();
  }

  /** A method, because it changes while `start` waits. */
  private isStopping(): boolean {
    return this.stopping;
  }

  private async startPostgres(): Promise<string> {
    const location = locatePostgres(this.options.projectFolder, this.options.dataFolder);
    this.lock = await lockFolder(location.folder);
    if (!this.lock) {
      throw new StartRefused(
        `The data folder ${location.folder} is in use by another start. Stop that one, or set DATA_DIR to another folder.`,
      );
    }
    const port = await freePort();
    const args = [JSON.stringify(location), String(port)];
    const keeper = join(__dirname, 'postgres-keeper.js');
    this.postgres = new Child('postgres', keeper, args, this.options.environment, this.options.say);
    await this.postgres.start();
    const password = readFileSync(join(location.folder, 'postgres-password'), 'utf8');
    return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  }

  /** Something to make reports of, where there is nothing yet. In production the data is its owner's business. */
  private async seed(environment: NodeJS.ProcessEnv): Promise<void> {
    if (environment['NODE_ENV'] === 'production') return;
    await this.runToEnd('seed', ['--only-if-empty', '--orders', '2000'], environment);
  }

  /** In a process group of its own, and waited for: a migration that is broken off has to be mended by hand. */
  private async runToEnd(script: 'migrate' | 'seed', args: string[], environment: NodeJS.ProcessEnv): Promise<void> {
    const child = fork(join(__dirname, `../${script}/main.js`), args, {
      env: environment,
      detached: process.platform !== 'win32',
    });
    this.running = once(child, 'exit') as Promise<[number | null]>;
    const [code] = await this.running;
    if (code !== 0) throw new StartRefused(`The script "${script}" did not run to its end; see above.`);
  }
}
