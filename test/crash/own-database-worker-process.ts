import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { readSettings } from '@app/configuration';
import { sendSms } from '@app/features/sms';
import {
  done,
  JobHandler,
  WorkerMessagingModule,
  workerSettingNames,
  type Handler,
  type JobContext,
  type JobOf,
} from '@app/messaging';
import { loggingModule, observers, runProcess, workerProcess } from '@app/observability';
import { DatabaseModule } from '@app/database';
import { workerPool } from '@app/ledger';
import { moment } from './moment';

const application = 'own-database-worker';

/** Its effect is a row in our own database. */
@JobHandler(sendSms)
class InsertHandler implements Handler<typeof sendSms> {
  handle({ id }: JobOf<typeof sendSms>, { transaction }: JobContext) {
    return transaction(async (tx) => {
      await tx.$executeRaw`INSERT INTO own_effect (job_id) VALUES (${id}::uuid)`;
      moment();
      return done({ providerId: id });
    });
  }
}

@Module({})
class OwnDatabaseWorkerModule {}

/** A worker as every app of this system is one, for jobs that come in by `POST /v1/sms`. */
void runProcess(
  application,
  () => readSettings(workerSettingNames),
  async (settings) =>
    workerProcess(
      await NestFactory.createApplicationContext(
        {
          module: OwnDatabaseWorkerModule,
          imports: [
            loggingModule({ application, level: settings.LOG_LEVEL, format: settings.LOG_FORMAT }),
            DatabaseModule.forRoot({ databaseUrl: settings.DATABASE_URL, application, pool: workerPool }),
            WorkerMessagingModule.forRoot({ application, settings, jobs: [sendSms] }),
          ],
          providers: [...observers(settings), InsertHandler],
        },
        { bufferLogs: true },
      ),
    ),
);
