import { Module, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Logger } from 'nestjs-pino';
import { Pool } from 'pg';
import { Registry } from 'prom-client';
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

@Module({})
class WorkerModule {}

/** Runs a worker app as a process: starts its worker, prints its pipeline, and drains it before Nest closes anything. */
export function runWorker<Settings extends WorkerSettings>(
  name: string,
  readSettings: () => Settings,
  appOf: (settings: Settings) => WorkerApp | Promise<WorkerApp>,
): Promise<void> {
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
