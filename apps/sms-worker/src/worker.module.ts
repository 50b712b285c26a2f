import { Module, type DynamicModule } from '@nestjs/common';
import { sendSms } from '@app/features/sms';
import { WorkerMessagingModule } from '@app/messaging';
import { loggingModule, observers } from '@app/observability';
import { DatabaseModule, PrismaClient } from '@app/database';
import { workerPool } from '@app/ledger';
import type { SmsWorkerSettings } from './config';
import { HttpSmsProvider } from './http-sms-provider';
import { MailboxSmsProvider } from './mailbox-sms-provider';
import { SendSmsHandler } from './send-sms.handler';
import { SmsProvider } from './sms-provider';

const application = 'sms-worker';

@Module({})
export class WorkerModule {
  static forRoot(settings: SmsWorkerSettings): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        loggingModule({ application, level: settings.LOG_LEVEL, format: settings.LOG_FORMAT }),
        DatabaseModule.forRoot({ databaseUrl: settings.DATABASE_URL, application, pool: workerPool }),
        WorkerMessagingModule.forRoot({ application, settings, jobs: [sendSms] }),
      ],
      providers: [
        ...observers(settings),
        {
          provide: SmsProvider,
          inject: [PrismaClient],
          useFactory: (prisma: PrismaClient) =>
            settings.SMS_URL === undefined
              ? new MailboxSmsProvider(prisma)
              : new HttpSmsProvider(settings.SMS_URL, settings.SMS_TOKEN),
        },
        SendSmsHandler,
      ],
    };
  }
}
