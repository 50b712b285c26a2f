import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';
import { Logger } from 'nestjs-pino';
import { Pool } from 'pg';
import { Registry } from 'prom-client';
import {
  Access,
  strictPolicy,
  admitBody,
  refuseNul,
  closeUnread,
  ApiServer,
  traceRequests,
  serveOpenApi,
} from '@app/http';
import { measureRequests } from '@app/observability';
import { ApiModule } from './api.module';
import type { ApiSettings } from './config';
import { serveDocsSite } from './web/docs-site';
import { serveWebAssets } from './web/web.controller';
import { featureRoutes } from './features';

/** Builds the whole application. It does not listen yet. */
export async function createApi(settings: ApiSettings): Promise<NestExpressApplication> {
  const access = new Access(settings);
  const features = featureRoutes(settings);
  const module = ApiModule.forRoot(settings, access, features);
  const options = { bodyParser: false, bufferLogs: true };
  const app = await NestFactory.create<NestExpressApplication>(module, new ApiServer(settings), options);
  app.useLogger(app.get(Logger));
  app.use(measureRequests(app.get<Registry>(Registry)), closeUnread, traceRequests);
  app.set('trust proxy', settings.TRUST_PROXY);
  // The proxy has the certificate, so the proxy decides whether to send Strict-Transport-Security.
  app.use(helmet({ contentSecurityPolicy: false, strictTransportSecurity: false }), strictPolicy, refuseNul);
  access.sessions.database = app.get(Pool);
  for (const { beforeAccess } of features) beforeAccess?.(app);
  app.use(...access.middleware, admitBody);
  if (!settings.API_KEYS)
    app.get(Logger).warn('API_KEYS is not set: every caller is the tenant demo and has all roles');
  serveOpenApi(app, settings);
  serveWebAssets(app);
  serveDocsSite(app);
  return app;
}
