import { Module, type DynamicModule } from '@nestjs/common';
import { Pool } from 'pg';
import { WorkerMessagingModule } from '@app/messaging';
import { loggingModule, observers } from '@app/observability';
import { openGenerationOfAll, PersistenceModule, workerPool } from '@app/persistence';
import type { SyncWorkerSettings } from './config';
import { ReplayedGeneration, replayOf } from './replay.handler';

const application = 'sync-replay';

/** A process that only handles all past and new events, under a new subscriber name. */
@Module({})
export class ReplayModule {
  static with(settings: SyncWorkerSettings, subscriber: string): DynamicModule {
    const { subscription, handler } = replayOf(subscriber);
    return {
      module: ReplayModule,
      imports: [
        loggingModule({ application, level: settings.LOG_LEVEL, format: settings.LOG_FORMAT }),
        PersistenceModule.forRoot({ databaseUrl: settings.DATABASE_URL, application, pool: workerPool }),
        WorkerMessagingModule.register(application, [], settings, [subscription]),
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
