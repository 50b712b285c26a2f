import { v7 as uuidv7 } from 'uuid';
import { BrokerRoutes, readSettings } from '@app/configuration';
import {
  continueTrace,
  encodeMessage,
  JobsService,
  MessagingSignals,
  queuesOf,
  type BrokerTopology,
} from '@app/messaging';
import { priorities, type JobDefinition } from '@app/contracts';
import { createLedgerPool, keepForever, OutboxWakeUp, relayPool } from '@app/ledger';
import { Relay } from '../../../libs/messaging/src/relay/relay';
import { anEmail } from '../../support/system';
import { endingWith } from '../measuring/ending';
import type { Stage } from '../measuring/stage';
import { benchQueue } from './bench-queue';
import { withDriver } from './driver';
import { emptyJob } from './empty-job';

/** A backlog that waits for its worker, and the rate at which it was published. */
export interface Backlog {
  readonly publishedPerSecond: number;
}

const relaySettingNames = ['LEASE_MS', 'SWEEP_MS', 'RECONCILE_MS', 'FORGOTTEN_AFTER_MS'] as const;

/** Writes jobs into the ledger; then a relay publishes all of them. */
export async function fillByRelay(stage: Stage, count: number, tracedOneOf = 1): Promise<Backlog> {
  const { driver, settings, environment } = stage;
  const definition = emptyJob(driver.broker, 1);
  const pool = createLedgerPool(settings.DATABASE_URL, 'bench', relayPool);
  return endingWith(
    () => pool.end(),
    () =>
      withDriver(stage, topologyOf(definition), async (publisher) => {
        const wakeUp = new OutboxWakeUp(pool);
        const signals = new MessagingSignals();
        const jobs = new JobsService(pool, wakeUp, new BrokerRoutes([driver.broker], []), signals);
        await enqueue(stage, jobs, definition, count, tracedOneOf);

        const times = readSettings(relaySettingNames, environment);
        const relay = new Relay(pool, [publisher], wakeUp, jobs, signals, {
          databaseUrl: settings.DATABASE_URL,
          queues: [benchQueue],
          eventsOf: () => ['job.finished'],
          schedules: [],
          leaseMs: times.LEASE_MS,
          sweepMs: times.SWEEP_MS,
          reconcileMs: times.RECONCILE_MS,
          forgottenAfterMs: times.FORGOTTEN_AFTER_MS,
          retention: { walks: {}, ages: keepForever },
        });
        return endingWith(
          () => relay.stop(),
          async () => {
            const published = allPublished(signals, count);
            const publishedPerSecond = await perSecond(count, async () => {
              await relay.start();
              await published;
            });
            return { publishedPerSecond };
          },
        );
      }),
  );
}

/** Publishes the same messages with the client alone, in batches of the same size. */
export async function fillByHand(stage: Stage, count: number): Promise<Backlog> {
  const definition = emptyJob(stage.driver.broker, 1);
  // Creates the queue, in the same way for every contender.
  await withDriver(stage, topologyOf(definition), () => Promise.resolve());
  const messages = Array.from({ length: count }, () => aMessage(definition));
  return { publishedPerSecond: await perSecond(count, () => stage.broker.publish(messages)) };
}

export function topologyOf(definition: JobDefinition): BrokerTopology {
  return { queues: queuesOf([definition]), events: [] };
}

export function aMessage({ kind, version, queue }: JobDefinition) {
  const { traceparent } = continueTrace(undefined);
  const [id, dispatch, at] = [uuidv7(), 1, new Date()];
  const message = {
    id,
    dispatch,
    kind,
    version,
    queue,
    priority: priorities.normal,
    orderKey: null,
    at,
    traceparent,
  };
  return { id: `${id}-${dispatch}`, body: encodeMessage(message) };
}

/**
 * Enqueues one job as a request does and then copies its rows: to enqueue all of them would take longer than to drain
 * them.
 */
async function enqueue(
  { pool }: Stage,
  jobs: JobsService,
  definition: JobDefinition,
  count: number,
  tracedOneOf: number,
): Promise<void> {
  const { traceparent } = continueTrace(undefined);
  const { id } = await jobs.enqueue(definition, anEmail(), { tenant: 'bench', traceparent });
  const copies = Array.from({ length: count - 1 }, () => uuidv7());
  await pool.query(
    `WITH copy AS (
       SELECT id, '00-' || replace(id::text, '-', '') || '-00f067aa0ba902b7-0' || (place % $3 = 0)::int AS traceparent
         FROM unnest($2::uuid[]) WITH ORDINALITY AS copy(id, place)
     ), jobs AS (
       INSERT INTO job
       SELECT (jsonb_populate_record(job, jsonb_build_object('id', copy.id, 'traceparent', copy.traceparent))).*
         FROM job, copy WHERE job.id = $1
     ), events AS (
       INSERT INTO job_update
       SELECT (jsonb_populate_record(event, jsonb_build_object('job_id', copy.id))).*
         FROM job_update event, copy WHERE event.job_id = $1
     )
     INSERT INTO outbox
     SELECT (jsonb_populate_record(outbox,
              jsonb_build_object('id', nextval(pg_get_serial_sequence('outbox', 'id')), 'job_id', copy.id,
                'traceparent', copy.traceparent))).*
       FROM outbox, copy WHERE outbox.job_id = $1`,
    [id, copies, tracedOneOf],
  );
}

function allPublished(signals: MessagingSignals, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let published = 0;
    signals.on('published', (_broker, more) => (published += more) === count && resolve());
    signals.on('publish_failed', (_broker, error) => reject(error as Error));
  });
}

async function perSecond(count: number, work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (count / (performance.now() - startedAt)) * 1_000;
}
