import '../../../libs/configuration/src/check-node.cjs';
import '../../../libs/observability/src/tracing/instrument.cjs';
import 'reflect-metadata';
import { DatabaseModule } from '@app/database';
import { resizeImage } from '@app/features/image';
import { runWorker } from '@app/observability';
import { checkStorageFolder, fileStoreProvider } from '@app/storage';
import { readWorkerSettings } from './config';
import { ResizeImageHandler } from './resize-image.handler';

void runWorker('image-worker', readWorkerSettings, async (settings) => {
  await checkStorageFolder(settings);
  return {
    database: DatabaseModule,
    jobs: [resizeImage],
    providers: [fileStoreProvider(settings), ResizeImageHandler],
  };
});
