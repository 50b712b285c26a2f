import '../../../libs/configuration/src/check-node.cjs';
import '../../../libs/observability/src/tracing/instrument.cjs';
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { Logger } from 'nestjs-pino';
import { Pool } from 'pg';
import { Registry } from 'prom-client';
import { closeDrained, database, Readiness, runProcess, serveHealth } from '@app/observability';
import { Relay } from '@app/messaging/relay';
import { checkStorageFolder } from '@app/storage';
import { readRelaySettings } from './config';
import { measureLedger } from './ledger-metrics';
import { RelayModule } from './relay.module';

void runProcess('relay', readRelaySettings, async (settings) => {
  await checkStorageFolder(settings);
  const app = await NestFactory.createApplicationContext(RelayModule.forRoot(settings), { bufferLogs: true });
  app.useLogger(app.get(Logger));
  const [relay, pool, registry] = [app.get(Relay), app.get(Pool), app.get<Registry>(Registry)];
  measureLedger(pool, registry);
  const readiness = new Readiness(() => [database(pool)]);
  await serveHealth(settings, readiness, registry);
  await relay.start();
  readiness.started();
  return {
    stop: async () => {
      readiness.drain();
      await relay.stop();
      await closeDrained(app);
    },
  };
});
