import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { readSettings, workerSettingNames } from '@app/configuration';
import { productChanged } from '@app/features/product';
import { sendSms } from '@app/features/sms';
import {
  done,
  EventHandler,
  JobHandler,
  type EventOf,
  type Handler,
  type HandlesEvents,
  type JobContext,
  type JobOf,
} from '@app/messaging';
import { runWorker } from '@app/observability';
import { DatabaseModule, type Prisma } from '@app/database';

const subscription = { event: productChanged, subscriber: 'search' } as const;

/** The text of the message that kills the process. */
const deadly = 'deadly';

/** Long enough for the process to report that it is ready. */
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

/** A worker like every worker of this system. One message kills it each time that it is handled. */
void runWorker(
  'deadly-worker',
  () => readSettings(workerSettingNames),
  () => ({
    database: DatabaseModule,
    jobs: [sendSms],
    subscriptions: [subscription],
    providers: [DeadlyJobHandler, DeadlyEventHandler],
  }),
);
