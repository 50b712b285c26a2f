import { Module, type DynamicModule } from '@nestjs/common';
import { emailDigest, sendEmail } from '@app/features/email';
import { WorkerMessagingModule } from '@app/messaging';
import { loggingModule, observers } from '@app/observability';
import { DatabaseModule, PrismaClient } from '@app/database';
import { workerPool } from '@app/ledger';
import type { EmailWorkerSettings } from './config';
import { createMailTransport } from './mail-transport';
import { EmailDigestHandler } from './email-digest.handler';
import { Mailer } from './mailer';
import { SendEmailHandler } from './send-email.handler';
import { Templates } from './templates';

const application = 'email-worker';

@Module({})
export class WorkerModule {
  static forRoot(settings: EmailWorkerSettings): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        loggingModule({ application, level: settings.LOG_LEVEL, format: settings.LOG_FORMAT }),
        DatabaseModule.forRoot({ databaseUrl: settings.DATABASE_URL, application, pool: workerPool }),
        WorkerMessagingModule.forRoot({ application, settings, jobs: [sendEmail, emailDigest] }),
      ],
      providers: [
        ...observers(settings),
        Templates,
        {
          provide: Mailer,
          inject: [PrismaClient],
          useFactory: (prisma: PrismaClient) =>
            new Mailer(createMailTransport(settings.SMTP_URL, prisma), settings.SMTP_FROM),
        },
        SendEmailHandler,
        EmailDigestHandler,
      ],
    };
  }
}
