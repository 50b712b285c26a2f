import '../../../libs/configuration/src/check-node.cjs';
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { runProcess, workerProcess } from '@app/observability';
import { readWorkerSettings } from './config';
import { ReplayModule } from './replay.module';
import { WorkerModule } from './worker.module';

void runProcess('sync-worker', readWorkerSettings, async (settings) => {
  const { SYNC_REPLAY: subscriber } = settings;
  const module = subscriber === undefined ? WorkerModule.forRoot(settings) : ReplayModule.forRoot(settings, subscriber);
  return workerProcess(await NestFactory.createApplicationContext(module, { bufferLogs: true }));
});
