import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Server } from 'node:net';
import { join, resolve } from 'node:path';
import { systemEnvironment } from '../system-environment.cjs';
import { lastUrlIn } from '../postgres/embedded-postgres';
import { freePort } from '../postgres/free-port';
import { locatePostgres, prepareFolder, type PostgresLocation } from '../postgres/location';
import { assertWritable, filesFolder, type Settings } from '@app/configuration';
import { settingNames as migrateSettingNames } from '../migrate/config';
import { environmentFor, programsOf, readApps, settingNamesOf } from './apps';
import { Child, heapMbOfApp } from './child';
import { lockFolder } from './folder-lock';
import { ProcessControl } from './process-control';
import { StartRefused } from './start-refused';

/** Milliseconds; longer than PostgreSQL waits for its clients and then for its disk. */
const postgresMs = 30_000;

/** In MB: enough for the largest report beside the largest images. */
const heapMbOfAllWorkers = 2 * heapMbOfApp;

export interface SupervisorOptions {
  readonly projectFolder: string;
  /** Undefined: run the embedded PostgreSQL. */
  readonly databaseUrl: string | undefined;
  readonly settings: Pick<Settings, 'DATA_DIR' | 'STORAGE_DIR' | 'S3_BUCKET' | 'SHUTDOWN_GRACE_MS' | 'HEALTH_PORT'>;
  /** The whole environment. Each process gets its own part of it. */
  readonly environment: NodeJS.ProcessEnv;
  /** All workers in one process, for a small machine. They then share an environment, secrets included. */
  readonly oneProcess: boolean;
  readonly say: (line: string) => void;
}

/** All processes of the system on one machine: PostgreSQL, then the migrations, then all apps at once. */
export class Supervisor {
  private lock: Server | undefined;
  private postgres: Child | undefined;
  private apps: Child[] = [];
  private running: { script: string; ended: Promise<[number | null]> } | undefined;
  private stopping = false;

  constructor(private readonly options: SupervisorOptions) {}

  /**
   * Resolves when all apps are ready.
   * @throws StartRefused, UnusableFolder
   */
  async start(): Promise<void> {
    const { projectFolder, say } = this.options;
    if (this.options.databaseUrl !== undefined) this.checkFilesFolder();
    const environment: NodeJS.ProcessEnv = {
      ...this.options.environment,
      DATABASE_URL: this.options.databaseUrl ?? (await this.startPostgres()),
      // It would name another database than the embedded one.
      ...(this.options.databaseUrl === undefined && { DATABASE_DIRECT_URL: undefined }),
    };
    if (this.isStopping()) return;
    await this.runToEnd('migrate', [], environmentFor(migrateSettingNames, environment));
    if (this.isStopping()) return;
    await this.seed(environment);
    if (this.isStopping()) return;
    const programs = programsOf(readApps(projectFolder), this.options.oneProcess);
    this.apps = programs.map(({ name, script, args, apps }, index) => {
      const names = apps.flatMap(settingNamesOf);
      const own = environmentFor(names, { ...environment, HEALTH_PORT: this.healthPort(index) });
      return new Child(name, script, args, own, say, apps.length > 1 ? heapMbOfAllWorkers : heapMbOfApp);
    });
    if (environment['NODE_ENV'] !== 'production') new ProcessControl(this.apps[0]!, this.apps);
    await Promise.all(this.apps.map((app) => app.start()));
  }

  /**
   * Stops in this order: the API, so that no new requests come; the relay; the workers, which drain; PostgreSQL last.
   */
  async stop(): Promise<void> {
    const { say } = this.options;
    this.stopping = true;
    if (this.running) say(`stopping: ${this.running.script} finishes first`);
    await this.running?.ended;
    const patienceMs = this.options.settings.SHUTDOWN_GRACE_MS + 5_000;
    const [api, relay, ...workers] = this.apps;
    const stages = [api, relay, workers].map((stage) => [stage ?? []].flat().filter(({ isRunning }) => isRunning));
    for (const stage of stages) {
      if (stage.length === 0) continue;
      say(`stopping: ${stage.map(({ name }) => name).join(', ')}`);
      await Promise.all(stage.map((child) => child.stop(patienceMs)));
    }
    if (this.postgres?.isRunning) say('stopping: postgres');
    await this.postgres?.stop(postgresMs);
    this.lock?.close();
  }

  /** HEALTH_PORT for the first app after the API, the next port for the next app. The API has its own port. */
  private healthPort(index: number): string | undefined {
    const { HEALTH_PORT: first } = this.options.settings;
    return first === undefined || index === 0 ? undefined : String(first + index - 1);
  }

  /** Checks the folder first: otherwise each app that uses files would refuse to start once everything else runs. */
  private checkFilesFolder(): void {
    const { settings } = this.options;
    if (settings.S3_BUCKET === undefined) assertWritable('STORAGE_DIR', resolve(filesFolder(settings)));
  }

  /** A method, so that TypeScript does not assume that the value stays unchanged while `start` waits. */
  private isStopping(): boolean {
    return this.stopping;
  }

  private async startPostgres(): Promise<string> {
    const location = this.locate();
    prepareFolder(location);
    const lock = await lockFolder(location.folder);
    if ('owner' in lock) {
      throw new StartRefused(
        `The data folder ${location.folder} is in use by another start${lock.owner}. Stop that one, or set DATA_DIR to another folder.`,
      );
    }
    this.lock = lock.server;
    this.checkFilesFolder();
    const args = [JSON.stringify(location), String(await freePort())];
    const keeper = join(__dirname, 'postgres-keeper.js');
    this.postgres = new Child('postgres', keeper, args, systemEnvironment(this.options.environment), this.options.say);
    await this.postgres.start();
    return lastUrlIn(location.folder)!;
  }

  private locate(): PostgresLocation {
    try {
      return locatePostgres(this.options.projectFolder, this.options.settings.DATA_DIR);
    } catch (error) {
      throw new StartRefused((error as Error).message); // No programs for this system, no user, or no folder.
    }
  }

  /**
   * Adds the data that the use cases work on when there are none. In production the data belong to the operator. A
   * project whose use cases need none has no script for it.
   */
  private async seed(environment: NodeJS.ProcessEnv): Promise<void> {
    if (environment['NODE_ENV'] === 'production' || !existsSync(join(__dirname, '../seed/main.js'))) return;
    await this.runToEnd('seed', ['--only-if-empty', '--orders', '2000'], environmentFor(['DATABASE_URL'], environment));
  }

  /** Runs a script to its end in its own process group: an interrupted migration must be repaired by hand. */
  private async runToEnd(script: 'migrate' | 'seed', args: string[], environment: NodeJS.ProcessEnv): Promise<void> {
    const child = fork(join(__dirname, `../${script}/main.js`), args, {
      env: environment,
      detached: process.platform !== 'win32',
    });
    const ended = once(child, 'exit') as Promise<[number | null]>;
    this.running = { script, ended };
    const [code] = await ended;
    this.running = undefined;
    if (code !== 0) throw new StartRefused(`The script "${script}" failed; see above.`);
  }
}
