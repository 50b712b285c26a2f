import { Module, type DynamicModule } from '@nestjs/common';
import { syncRun } from '@app/features/product';
import { WorkerMessagingModule } from '@app/messaging';
import { loggingModule, observers } from '@app/observability';
import { DatabaseModule } from '@app/database';
import { workerPool } from '@app/ledger';
import { audit, AuditHandler } from './audit.handler';
import type { SyncWorkerSettings } from './config';
import { search, SearchHandler } from './search.handler';
import { SyncRunHandler } from './sync-run.handler';

const application = 'sync-worker';

@Module({})
export class WorkerModule {
  static forRoot(settings: SyncWorkerSettings): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        loggingModule({ application, level: settings.LOG_LEVEL, format: settings.LOG_FORMAT }),
        DatabaseModule.forRoot({ databaseUrl: settings.DATABASE_URL, application, pool: workerPool }),
        WorkerMessagingModule.forRoot({ application, settings, jobs: [syncRun], subscriptions: [search, audit] }),
      ],
      providers: [...observers(settings), SearchHandler, AuditHandler, SyncRunHandler],
    };
  }
}
