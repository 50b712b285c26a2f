import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { readSettings } from '@app/configuration';
import { productChanged } from '@app/features/product';
import { sendSms } from '@app/features/sms';
import {
  done,
  EventHandler,
  JobHandler,
  WorkerMessagingModule,
  workerSettingNames,
  type EventOf,
  type Handler,
  type HandlesEvents,
  type JobContext,
  type JobOf,
} from '@app/messaging';
import { loggingModule, observers, runProcess, workerProcess } from '@app/observability';
import { DatabaseModule, type Prisma } from '@app/database';
import { workerPool } from '@app/ledger';

const application = 'deadly-worker';
const subscription = { event: productChanged, subscriber: 'search' } as const;

/** The text of the message that kills. */
const deadly = 'deadly';

/** Long enough for the process to say before that it is ready. */
const dyingMs = 300;

async function dieOf(texts: readonly string[]): Promise<void> {
  if (!texts.includes(deadly)) return;
  await delay(dyingMs);
  process.kill(process.pid, 'SIGKILL');
  await new Promise(() => undefined);
}

@JobHandler(sendSms)
class DeadlyJobHandler implements Handler<typeof sendSms> {
  async handle({ id, payload }: JobOf<typeof sendSms>, { transaction }: JobContext) {
    await dieOf([payload.text]);
    return transaction(async (tx) => {
      await tx.$executeRaw`INSERT INTO own_effect (name) VALUES (${payload.text})`;
      return done({ providerId: id });
    });
  }
}

@EventHandler(subscription)
class DeadlyEventHandler implements HandlesEvents<typeof productChanged> {
  async handle(events: readonly EventOf<typeof productChanged>[], tx: Prisma.TransactionClient): Promise<void> {
    await dieOf(events.map(({ data }) => data.name));
    for (const { data } of events) await tx.$executeRaw`INSERT INTO own_effect (name) VALUES (${data.name})`;
  }
}

@Module({})
class DeadlyWorkerModule {}

/** A worker as every app of this system is one, which one message kills each time that it is handled. */
void runProcess(
  application,
  () => readSettings(workerSettingNames),
  async (settings) =>
    workerProcess(
      await NestFactory.createApplicationContext(
        {
          module: DeadlyWorkerModule,
          imports: [
            loggingModule({ application, level: settings.LOG_LEVEL, format: settings.LOG_FORMAT }),
            DatabaseModule.forRoot({ databaseUrl: settings.DATABASE_URL, application, pool: workerPool }),
            WorkerMessagingModule.forRoot({ application, settings, jobs: [sendSms], subscriptions: [subscription] }),
          ],
          providers: [...observers(settings), DeadlyJobHandler, DeadlyEventHandler],
        },
        { bufferLogs: true },
      ),
    ),
);
