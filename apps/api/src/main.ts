import '../../../libs/configuration/src/check-node.cjs';
import 'reflect-metadata';
import type { Server } from 'node:http';
import { DRIVERS, type BrokerDriver } from '@app/messaging';
import { closeDrained, runProcess } from '@app/observability';
import { checkStorageFolder } from '@app/storage';
import { readApiSettings } from './config';
import { createApi } from './create-api';
import { LiveFeed } from './live/live-feed';
import { Streams } from './live/streams';
import { Readiness } from './operations/health.controller';

/** How long a request in hand may take when the process stops; one takes 3 s at most. */
const requestGraceMs = 5_000;

void runProcess('api', readApiSettings, async (settings) => {
  await checkStorageFolder(settings);
  const app = await createApi(settings);
  await app.listen(settings.PORT, settings.HOST);
  return {
    stop: async (tell) => {
      app.get(Readiness).draining = true;
      tell(`answers the requests that it has begun, at most ${requestGraceMs / 1_000} s`);
      // Requests in hand are answered; connections that only wait are closed.
      const server: Server = app.getHttpServer();
      const breakOff = setTimeout(() => server.closeAllConnections(), requestGraceMs);
      const closed = new Promise((resolve) => server.close(resolve));
      // Node closes those that are idle now. One that has just been answered would stay for its idle time.
      const closeIdle = setInterval(() => server.closeIdleConnections(), 50);
      app.get(Streams).drain();
      await closed;
      clearTimeout(breakOff);
      clearInterval(closeIdle);
      await app.get(LiveFeed).stop();
      await Promise.all(app.get<BrokerDriver[]>(DRIVERS).map((driver) => driver.close()));
      await closeDrained(app);
    },
  };
});
