import '../../../libs/configuration/src/check-node.cjs';
import '../../../libs/observability/src/tracing/instrument.cjs';
import 'reflect-metadata';
import { DatabaseModule, PrismaClient } from '@app/database';
import { emailDigest, sendEmail } from '@app/features/email';
import { runWorker } from '@app/observability';
import { readWorkerSettings } from './config';
import { EmailDigestHandler } from './email-digest.handler';
import { createMailTransport } from './mail-transport';
import { Mailer } from './mailer';
import { SendEmailHandler } from './send-email.handler';
import { Templates } from './templates';

void runWorker('email-worker', readWorkerSettings, ({ SMTP_URL, SMTP_FROM }) => ({
  database: DatabaseModule,
  jobs: [sendEmail, emailDigest],
  providers: [
    SendEmailHandler,
    EmailDigestHandler,
    Templates,
    {
      provide: Mailer,
      inject: [PrismaClient],
      useFactory: (prisma: PrismaClient) => new Mailer(createMailTransport(SMTP_URL, prisma), SMTP_FROM),
    },
  ],
}));
