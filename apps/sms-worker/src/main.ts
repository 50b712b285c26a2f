import '../../../libs/configuration/src/check-node.cjs';
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { runProcess, workerProcess } from '@app/observability';
import { readWorkerSettings } from './config';
import { WorkerModule } from './worker.module';

void runProcess('sms-worker', readWorkerSettings, async (settings) =>
  workerProcess(await NestFactory.createApplicationContext(WorkerModule.forRoot(settings), { bufferLogs: true })),
);
