import { Module, type DynamicModule } from '@nestjs/common';
import { Pool } from 'pg';
import { WorkerMessagingModule } from '@app/messaging';
import { loggingModule, observers } from '@app/observability';
import { openGenerationOfAll } from '@app/features/product';
import { DatabaseModule } from '@app/database';
import { workerPool } from '@app/ledger';
import type { SyncWorkerSettings } from './config';
import { ReplayedGeneration, replayOf } from './replay.handler';

const application = 'sync-replay';

/** A process that only handles all past and new events, under a new subscriber name. */
@Module({})
export class ReplayModule {
  static forRoot(settings: SyncWorkerSettings, subscriber: string): DynamicModule {
    const { subscription, handler } = replayOf(subscriber);
    return {
      module: ReplayModule,
      imports: [
        loggingModule({ application, level: settings.LOG_LEVEL, format: settings.LOG_FORMAT }),
        DatabaseModule.forRoot({ databaseUrl: settings.DATABASE_URL, application, pool: workerPool }),
        WorkerMessagingModule.forRoot({ application, settings, jobs: [], subscriptions: [subscription] }),
      ],
      providers: [
        ...observers(settings),
        {
          provide: ReplayedGeneration,
          inject: [Pool],
          useFactory: async (pool: Pool) => new ReplayedGeneration(await openGenerationOfAll(pool, subscriber)),
        },
        handler,
      ],
    };
  }
}
