import '../../../libs/configuration/src/check-node.cjs';
import '../../../libs/observability/src/tracing/instrument.cjs';
import 'reflect-metadata';
import { DatabaseModule } from '@app/database';
import { makeReport, summariseSection } from '@app/features/report';
import { runWorker } from '@app/observability';
import { checkStorageFolder, fileStoreProvider } from '@app/storage';
import { readWorkerSettings } from './config';
import { MakeReportHandler } from './make-report.handler';
import { SummariseSectionHandler } from './summarise-section.handler';

void runWorker('report-worker', readWorkerSettings, async (settings) => {
  await checkStorageFolder(settings);
  return {
    database: DatabaseModule,
    jobs: [makeReport, summariseSection],
    providers: [fileStoreProvider(settings), MakeReportHandler, SummariseSectionHandler],
  };
});
