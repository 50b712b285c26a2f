import '../../../libs/configuration/src/check-node.cjs';
import '../../../libs/observability/src/tracing/instrument.cjs';
import 'reflect-metadata';
import type { Server } from 'node:http';
import { Gauge, Registry } from 'prom-client';
import { DRIVERS, type BrokerDriver } from '@app/messaging';
import { closeDrained, Readiness, runProcess, serveHealth } from '@app/observability';
import { checkStorageFolder } from '@app/storage';
import { readApiSettings } from './config';
import { createApi } from './create-api';
import { LiveFeed } from './live/live-feed';
import { Streams } from './live/streams';

/** How long, in ms, a request in flight may take after the process begins to stop. One takes 3 s at most. */
const requestGraceMs = 5_000;

void runProcess('api', readApiSettings, async (settings) => {
  await checkStorageFolder(settings);
  const app = await createApi(settings);
  const readiness = app.get(Readiness);
  const [registry, streams] = [app.get<Registry>(Registry), app.get(Streams)];
  new Gauge({
    name: 'event_streams',
    help: 'Open event streams of this process',
    registers: [registry],
    collect() {
      this.set(streams.size);
    },
  });
  await serveHealth(settings, readiness, registry);
  await app.listen(settings.PORT, settings.HOST);
  readiness.started();
  return {
    stop: async (tell) => {
      readiness.drain();
      tell(`answers the requests that it has begun, at most ${requestGraceMs / 1_000} s`);
      // Answers the requests in flight and closes idle connections.
      const server: Server = app.getHttpServer();
      const breakOff = setTimeout(() => server.closeAllConnections(), requestGraceMs);
      const closed = new Promise((resolve) => server.close(resolve));
      // `close` closes only connections that are idle now. A connection that becomes idle later would stay open.
      const closeIdle = setInterval(() => server.closeIdleConnections(), 50);
      streams.drain();
      await closed;
      clearTimeout(breakOff);
      clearInterval(closeIdle);
      await app.get(LiveFeed).stop();
      await Promise.all(app.get<BrokerDriver[]>(DRIVERS).map((driver) => driver.close()));
      await closeDrained(app);
    },
  };
});
