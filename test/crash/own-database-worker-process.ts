import 'reflect-metadata';
import { readSettings, workerSettingNames } from '@app/configuration';
import { sendSms } from '@app/features/sms';
import { done, JobHandler, type Handler, type JobContext, type JobOf } from '@app/messaging';
import { runWorker } from '@app/observability';
import { DatabaseModule } from '@app/database';
import { moment } from './moment';

/** The effect is a row in our own database. */
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

/** A worker like every worker of this system, for jobs from `POST /v1/sms`. */
void runWorker(
  'own-database-worker',
  () => readSettings(workerSettingNames),
  () => ({ database: DatabaseModule, jobs: [sendSms], providers: [InsertHandler] }),
);
