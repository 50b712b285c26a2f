import '../../../libs/configuration/src/check-node.cjs';
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { Logger } from 'nestjs-pino';
import { closeDrained, runProcess } from '@app/observability';
import { Relay } from '@app/messaging/relay';
import { readRelaySettings } from './config';
import { RelayModule } from './relay.module';

void runProcess('relay', readRelaySettings, async (settings) => {
  const app = await NestFactory.createApplicationContext(RelayModule.forRoot(settings), { bufferLogs: true });
  app.useLogger(app.get(Logger));
  const relay = app.get(Relay);
  await relay.start();
  return {
    stop: async () => {
      await relay.stop();
      await closeDrained(app);
    },
  };
});
