import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';
import { Logger } from 'nestjs-pino';
import { Pool } from 'pg';
import { receiverPath } from '@app/webhooks';
import { Access, strictPolicy } from './access';
import { ApiModule } from './api.module';
import { admitBody } from './bodies/admit-body';
import { refuseNul } from './http/refuse-nul';
import { closeUnread } from './bodies/close-unread';
import type { ApiSettings } from './config';
import { ApiServer } from './http/api-server';
import { traceRequests } from './http/caller';
import { serveOpenApi } from './openapi';
import { serveWebAssets } from './web/serve-web';
import { WebhookReceiver } from './webhooks/webhook-receiver';

/** Builds the whole application. It does not listen yet. */
export async function createApi(settings: ApiSettings): Promise<NestExpressApplication> {
  const access = new Access(settings);
  const app = await NestFactory.create<NestExpressApplication>(
    ApiModule.with(settings, access),
    new ApiServer(settings),
    {
      bodyParser: false,
      bufferLogs: true,
    },
  );
  app.useLogger(app.get(Logger));
  app.use(closeUnread, traceRequests);
  app.set('trust proxy', settings.TRUST_PROXY);
  // The proxy has the certificate, so the proxy decides whether to send Strict-Transport-Security.
  app.use(helmet({ contentSecurityPolicy: false, strictTransportSecurity: false }), strictPolicy, refuseNul);
  access.sessions.database = app.get(Pool);
  if (settings.NODE_ENV !== 'production') app.use(receiverPath, app.get(WebhookReceiver).receive);
  app.use(...access.middleware);
  app.use(admitBody);
  if (!settings.API_KEYS) app.get(Logger).warn('no API_KEYS: everybody is the tenant demo and may do everything');
  serveOpenApi(app, access, settings);
  serveWebAssets(app, access);
  return app;
}
