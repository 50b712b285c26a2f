import { Module, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Logger } from 'nestjs-pino';
import { Pool } from 'pg';
import { Registry } from 'prom-client';
import { ConfigurationError } from '@app/configuration';
import { Worker, WorkerMessagingModule, type WorkerModuleOptions, type WorkerSettings } from '@app/messaging';
import { database, queuesOfWorker } from './health/dependencies';
import { serveHealth } from './health/health-server';
import { Readiness } from './health/readiness';
import { loggingModule } from './logging.module';
import { observers } from './observers';
import { closeDrained, runProcess } from './run-process';

/** What a worker app runs, and what its handlers need. */
export interface WorkerApp extends Omit<WorkerModuleOptions, 'application' | 'settings'> {
  /** The name in logs, in PostgreSQL and at the brokers, when it is not the name of the process. */
  readonly application?: string;
  /** The handlers of the jobs and subscriptions, and what they inject. */
  readonly providers: readonly Provider[];
}

/** A worker app that has not begun. */
interface WorkerProgram {
  readSettings(): WorkerSettings;
  app(): Promise<WorkerApp>;
}

/** The apps that `runTogether` is loading: `runWorker` adds each here instead of running it. */
let loading: WorkerProgram[] | undefined;

@Module({})
class WorkerModule {}

/** Runs a worker app as a process: starts its worker, prints its pipeline, and drains it before Nest closes anything. */
export function runWorker<Settings extends WorkerSettings>(
  name: string,
  readSettings: () => Settings,
  appOf: (settings: Settings) => WorkerApp | Promise<WorkerApp>,
): Promise<void> {
  if (loading) {
    loading.push({ readSettings, app: async () => appOf(readSettings()) });
    return Promise.resolve();
  }
  return runProcess(name, readSettings, async (settings) => {
    const { application = name, providers, ...options } = await appOf(settings);
    const module = {
      module: WorkerModule,
      imports: [
        loggingModule({ application, level: settings.LOG_LEVEL, format: settings.LOG_FORMAT }),
        WorkerMessagingModule.forRoot({ application, settings, ...options }),
      ],
      providers: [...observers(settings), ...providers],
    };
    const app = await NestFactory.createApplicationContext(module, { bufferLogs: true });
    const logger = app.get(Logger);
    app.useLogger(logger);
    const worker = app.get(Worker);
    const readiness = new Readiness(() => [database(app.get(Pool)), ...queuesOfWorker(worker)]);
    await serveHealth(settings, readiness, app.get<Registry>(Registry));
    const steps = await worker.start();
    readiness.started();
    steps.forEach((step, index) => logger.debug(`step ${index + 1}, ${step}`));
    return {
      stop: async (tell) => {
        readiness.drain();
        await worker.drain(tell);
        await closeDrained(app);
      },
    };
  });
}

/**
 * Runs several worker apps as one worker: one Nest application with the jobs, the subscriptions and the providers of all,
 * one pool that is as large as theirs together, one health port.
 * @param load loads the main file of each app
 */
export function runTogether(name: string, load: () => void): Promise<void> {
  const programs: WorkerProgram[] = (loading = []);
  load();
  loading = undefined;
  const readAll = () => Object.assign({}, ...programs.map((program) => program.readSettings())) as WorkerSettings;
  return runWorker(name, readAll, async () => {
    const apps = await Promise.all(programs.map((program) => program.app()));
    const alone = apps.find(({ application }) => application !== undefined);
    if (alone) throw new ConfigurationError([`${alone.application} needs a process of its own: omit --one-process`]);
    return {
      database: apps[0]!.database,
      apps: apps.length,
      jobs: apps.flatMap(({ jobs }) => jobs),
      subscriptions: apps.flatMap(({ subscriptions = [] }) => subscriptions),
      providers: apps.flatMap(({ providers }) => providers),
    };
  });
}
