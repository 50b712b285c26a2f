import '../../../libs/configuration/src/check-node.cjs';
import '../../../libs/observability/src/tracing/instrument.cjs';
import 'reflect-metadata';
import { DatabaseModule, PrismaClient } from '@app/database';
import { sendSms } from '@app/features/sms';
import { runWorker } from '@app/observability';
import { readWorkerSettings } from './config';
import { HttpSmsProvider } from './http-sms-provider';
import { MailboxSmsProvider } from './mailbox-sms-provider';
import { SendSmsHandler } from './send-sms.handler';
import { SmsProvider } from './sms-provider';

void runWorker('sms-worker', readWorkerSettings, ({ SMS_URL, SMS_TOKEN }) => ({
  database: DatabaseModule,
  jobs: [sendSms],
  providers: [
    SendSmsHandler,
    {
      provide: SmsProvider,
      inject: [PrismaClient],
      useFactory: (prisma: PrismaClient) =>
        SMS_URL === undefined ? new MailboxSmsProvider(prisma) : new HttpSmsProvider(SMS_URL, SMS_TOKEN),
    },
  ],
}));
