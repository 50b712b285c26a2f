import { BrokerRoutes } from '@app/configuration';
import { v7 as uuidv7 } from 'uuid';
import { priorities, type JobDefinition } from '@app/contracts';
import {
  brokerSettingNames,
  continueTrace,
  JobsService,
  MessagingEvents,
  type BrokerDriver,
  type JobMessage,
} from '@app/messaging';
import { createLedgerPool, OutboxWakeUp, workerPool } from '@app/persistence';
import { readSettings } from '@app/configuration';
import { Relay } from '../../../apps/relay/src/relay';
import { anEmail } from '../../support/system';
import { endingWith } from '../measuring/ending';
import type { Stage } from '../measuring/stage';
import { benchQueue, emptyJob } from './empty-job';
import { withDriver } from './driver';

/** As many as the relay takes at once. */
const batchSize = 500;

/** A backlog that waits for its worker, and how fast it came to the broker. */
export interface Backlog {
  readonly publishedPerSecond: number;
}

/** Jobs into the ledger, then a relay brings them all to the broker. */
export async function fillByRelay({ settings, environment }: Stage, count: number): Promise<Backlog> {
  const definition = emptyJob(1);
  const pool = createLedgerPool(settings.DATABASE_URL, 'bench', workerPool);
  return endingWith(
    () => pool.end(),
    () =>
      withDriver(settings, definition, async ({ driver }) => {
        const wakeUp = new OutboxWakeUp(pool);
        const events = new MessagingEvents();
        const jobs = new JobsService(pool, wakeUp, new BrokerRoutes(['bullmq'], []), events);
        await sideBySide(count, 50, (n) => enqueue(jobs, definition, n));

        const times = readSettings(
          [...brokerSettingNames, 'SWEEP_MS', 'RECONCILE_MS', 'FORGOTTEN_AFTER_MS'],
          environment,
        );
        const relay = new Relay(pool, [driver], wakeUp, jobs, events, {
          databaseUrl: settings.DATABASE_URL,
          queues: [benchQueue],
          eventsOf: () => ['job.finished'],
          schedules: [],
          leaseMs: settings.LEASE_MS,
          sweepMs: times.SWEEP_MS,
          reconcileMs: times.RECONCILE_MS,
          forgottenAfterMs: times.FORGOTTEN_AFTER_MS,
        });
        return endingWith(
          () => relay.stop(),
          async () => {
            const published = allPublished(events, count);
            const startedAt = performance.now();
            await relay.start();
            await published;
            return backlog(driver, count, startedAt);
          },
        );
      }),
  );
}

/** The same messages, straight to the broker: one `addBulk` after the other. */
export async function fillByHand({ settings }: Stage, count: number): Promise<Backlog> {
  const definition = emptyJob(1);
  return withDriver(settings, definition, async ({ driver }) => {
    const messages = Array.from({ length: count }, () => aMessage(definition));
    const startedAt = performance.now();
    for (let at = 0; at < count; at += batchSize) await driver.publish(messages.slice(at, at + batchSize));
    return backlog(driver, count, startedAt);
  });
}

function aMessage({ kind, version, queue }: JobDefinition): JobMessage {
  const { traceparent } = continueTrace(undefined);
  return {
    id: uuidv7(),
    dispatch: 1,
    kind,
    version,
    queue,
    priority: priorities.normal,
    orderKey: undefined,
    at: new Date(),
    traceparent,
  };
}

async function enqueue(jobs: JobsService, definition: JobDefinition, n: number): Promise<void> {
  const { traceparent } = continueTrace(undefined);
  await jobs.enqueue(definition, anEmail(n), { tenant: 'bench', traceparent });
}

function allPublished(events: MessagingEvents, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let published = 0;
    events.on('published', (_broker, more) => (published += more) === count && resolve());
    events.on('publish_failed', (_broker, error) => reject(error as Error));
  });
}

async function backlog(driver: BrokerDriver, count: number, startedAt: number): Promise<Backlog> {
  const publishedPerSecond = (count / (performance.now() - startedAt)) * 1_000;
  const depth = await driver.depth(benchQueue);
  if (depth !== count) throw new Error(`Expected ${count} messages on the broker, found ${depth}.`);
  return { publishedPerSecond };
}

async function sideBySide(count: number, lanes: number, task: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < count) await task((next += 1));
    }),
  );
}
