import '../../libs/observability/src/tracing/instrument.cjs';
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { readSettings, workerSettingNames } from '@app/configuration';
import type { BrokerName } from '@app/contracts';
import {
  done,
  JobHandler,
  MessagingSignals,
  WorkerMessagingModule,
  Worker,
  type Handler,
  type Outcome,
} from '@app/messaging';
import { loggingModule, observers, runProcess } from '@app/observability';
import { DatabaseModule } from '@app/database';
import { emptyJob } from './drain/empty-job';
import { FinishLine } from './drain/finish-line';

const application = 'bench-worker';
const job = emptyJob(process.env['BENCH_BROKER'] as BrokerName, Number(process.env['BENCH_CONCURRENCY']));
let line: FinishLine;

@JobHandler(job)
class EmptyHandler implements Handler<typeof job> {
  handle(): Promise<Outcome<Record<string, never>>> {
    line.runs += 1;
    return Promise.resolve(done({}));
  }
}

@Module({})
class LedgerWorkerModule {}

/** A worker like every worker of this system. It takes its first job when the bench tells it to. */
void runProcess(
  application,
  () => readSettings(workerSettingNames),
  async (settings) => {
    const app = await NestFactory.createApplicationContext(
      {
        module: LedgerWorkerModule,
        imports: [
          loggingModule({ application, level: settings.LOG_LEVEL, format: settings.LOG_FORMAT }),
          WorkerMessagingModule.forRoot({ application, settings, database: DatabaseModule, jobs: [job] }),
        ],
        providers: [...(process.env['BENCH_OBSERVERS'] === 'none' ? [] : observers(settings)), EmptyHandler],
      },
      { logger: ['error', 'warn'] },
    );
    const worker = app.get(Worker);
    line = new FinishLine(() => void worker.start());
    app.get(MessagingSignals).on('settled', (_job, { state }) => state === 'completed' && line.passed());
    return {
      stop: async () => {
        await worker.drain();
        await app.close();
      },
    };
  },
);
