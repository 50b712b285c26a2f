import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { readSettings, workerSettingNames } from '@app/configuration';
import { productChanged } from '@app/features/product';
import { EventHandler, MessagingSignals, WorkerMessagingModule, Worker, type HandlesEvents } from '@app/messaging';
import { loggingModule, observers, runProcess } from '@app/observability';
import { DatabaseModule } from '@app/database';
import { SearchHandler } from '../../apps/sync-worker/src/search.handler';
import { FinishLine } from './drain/finish-line';

const application = 'bench-search';
const subscription = { event: productChanged, subscriber: 'search', together: Number(process.env['BENCH_GROUP']) };

/** The handler of the sync-worker, with groups of another size. */
@EventHandler(subscription)
class MeasuredHandler implements HandlesEvents<typeof productChanged> {
  private readonly search = new SearchHandler();

  handle(...group: Parameters<SearchHandler['handle']>): Promise<void> {
    return this.search.handle(...group);
  }
}

@Module({})
class SearchSubscriberModule {}

/** A worker like every worker of this system. It takes its first event when the bench tells it to. */
void runProcess(
  application,
  () => readSettings(workerSettingNames),
  async (settings) => {
    const app = await NestFactory.createApplicationContext(
      {
        module: SearchSubscriberModule,
        imports: [
          loggingModule({ application, level: settings.LOG_LEVEL, format: settings.LOG_FORMAT }),
          WorkerMessagingModule.forRoot({
            application,
            settings,
            database: DatabaseModule,
            jobs: [],
            subscriptions: [subscription],
          }),
        ],
        providers: [...observers(settings), MeasuredHandler],
      },
      { logger: ['error', 'warn'] },
    );
    const worker = app.get(Worker);
    const line = new FinishLine(() => void worker.start());
    app.get(MessagingSignals).on('events_handled', (_kind, _subscriber, fresh) => {
      line.runs += fresh;
      line.passed(fresh);
    });
    return {
      stop: async () => {
        await worker.drain();
        await app.close();
      },
    };
  },
);
