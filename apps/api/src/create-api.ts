import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';
import { Logger } from 'nestjs-pino';
import { ApiModule } from './api.module';
import type { ApiSettings } from './config';
import { traceRequests } from './http/caller';
import { serveOpenApi } from './openapi';

/** A job is a few fields; whatever is large belongs into storage, and its address into the job. */
const bodyLimit = '256kb';

/** The whole application, not listening yet. */
export async function createApi(settings: ApiSettings): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(ApiModule.with(settings), {
    bodyParser: false,
    bufferLogs: true,
    forceCloseConnections: true,
  });
  app.useLogger(app.get(Logger));
  app.use(traceRequests);
  app.use(
    helmet({
      // Plain HTTP on a name that is not localhost would otherwise be turned into HTTPS, which nobody serves here.
      contentSecurityPolicy: { directives: { 'upgrade-insecure-requests': null } },
      strictTransportSecurity: false,
    }),
  );
  app.useBodyParser('json', { limit: bodyLimit });
  serveOpenApi(app);
  return app;
}
