import '../../../libs/configuration/src/check-node.cjs';
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { runProcess, workerProcess } from '@app/observability';
import { checkStorageFolder } from '@app/storage';
import { readWorkerSettings } from './config';
import { WorkerModule } from './worker.module';

void runProcess('image-worker', readWorkerSettings, async (settings) => {
  await checkStorageFolder(settings);
  return workerProcess(
    await NestFactory.createApplicationContext(WorkerModule.forRoot(settings), { bufferLogs: true }),
  );
});
