import { Module, type DynamicModule } from '@nestjs/common';
import { makeReport, summariseSection } from '@app/features/report';
import { WorkerMessagingModule } from '@app/messaging';
import { loggingModule, observers } from '@app/observability';
import { DatabaseModule } from '@app/database';
import { workerPool } from '@app/ledger';
import { StorageModule } from '@app/storage';
import type { ReportWorkerSettings } from './config';
import { MakeReportHandler } from './make-report.handler';
import { SummariseSectionHandler } from './summarise-section.handler';

const application = 'report-worker';

@Module({})
export class WorkerModule {
  static forRoot(settings: ReportWorkerSettings): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        loggingModule({ application, level: settings.LOG_LEVEL, format: settings.LOG_FORMAT }),
        DatabaseModule.forRoot({ databaseUrl: settings.DATABASE_URL, application, pool: workerPool }),
        StorageModule.forRoot(settings),
        WorkerMessagingModule.forRoot({ application, settings, jobs: [makeReport, summariseSection] }),
      ],
      providers: [...observers(settings), MakeReportHandler, SummariseSectionHandler],
    };
  }
}
