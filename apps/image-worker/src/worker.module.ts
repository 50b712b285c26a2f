import { Module, type DynamicModule } from '@nestjs/common';
import { resizeImage } from '@app/features/image';
import { WorkerMessagingModule } from '@app/messaging';
import { loggingModule, observers } from '@app/observability';
import { DatabaseModule } from '@app/database';
import { workerPool } from '@app/ledger';
import { StorageModule } from '@app/storage';
import type { ImageWorkerSettings } from './config';
import { ResizeImageHandler } from './resize-image.handler';
import { UploadSweep } from './upload-sweep';

const application = 'image-worker';

@Module({})
export class WorkerModule {
  static forRoot(settings: ImageWorkerSettings): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        loggingModule({ application, level: settings.LOG_LEVEL, format: settings.LOG_FORMAT }),
        DatabaseModule.forRoot({ databaseUrl: settings.DATABASE_URL, application, pool: workerPool }),
        WorkerMessagingModule.forRoot({ application, settings, jobs: [resizeImage] }),
        StorageModule.forRoot(settings),
      ],
      providers: [...observers(settings), ResizeImageHandler, UploadSweep],
    };
  }
}
