import 'reflect-metadata';
import type { Server } from 'node:http';
import { DRIVERS, type BrokerDriver } from '@app/messaging';
import { runProcess } from '@app/observability';
import { readApiSettings } from './config';
import { createApi } from './create-api';
import { Readiness } from './operations/health.controller';

void runProcess('api', readApiSettings, async (settings) => {
  const app = await createApi(settings);
  await app.listen(settings.PORT, settings.HOST);
  return {
    stop: async () => {
      app.get(Readiness).draining = true;
      // Requests in hand are answered; connections that only wait are closed.
      const server: Server = app.getHttpServer();
      await new Promise((resolve) => server.close(resolve));
      await Promise.all(app.get<BrokerDriver[]>(DRIVERS).map((driver) => driver.close()));
      await app.close();
    },
  };
});
