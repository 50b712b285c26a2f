import type { Pool } from 'pg';
import { Gauge, type Registry } from 'prom-client';
import { measureDeadLetters, measureEventOutbox, measureOpenJobs, measureOutbox, readQueueReaders } from '@app/ledger';

/** A scrape within this time after the last one, in milliseconds, gets the same figures. */
const freshMs = 2_000;

/**
 * Registers what the ledger says about the whole system. PostgreSQL is asked when the registry is read. Every relay
 * reports the same figures, so a query takes their maximum. While PostgreSQL does not answer, `ledger_up` is 0 and the
 * other figures are missing.
 */
export function measureLedger(pool: Pool, registry: Registry): void {
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Gauge({ name, help, labelNames, registers: [registry], collect: () => refresh() });
  const jobs = gauge('ledger_jobs', 'Jobs that have not ended', 'kind', 'queue', 'broker', 'state');
  const oldest = gauge('ledger_oldest_due_job_seconds', 'Age of the oldest job that is due', 'kind', 'queue', 'broker');
  const outbox = gauge('ledger_outbox_messages', 'Messages of jobs still to be published', 'broker', 'state');
  const oldestMessage = gauge('ledger_outbox_oldest_due_seconds', 'Age of the oldest message that is due', 'broker');
  const events = gauge('ledger_event_outbox_events', 'Events still to be published', 'event');
  const oldestEvent = gauge('ledger_event_outbox_oldest_seconds', 'Age of the oldest of these events', 'event');
  const deadLetters = gauge(
    'ledger_dead_letters',
    'Dead letters not redriven; of a job, or a message',
    'broker',
    'queue',
    'of',
  );
  const workers = gauge('ledger_queue_workers', 'Worker processes that report a queue', 'broker', 'queue');
  const failing = gauge('ledger_queue_workers_failing', 'Those of them that cannot consume it', 'broker', 'queue');
  const up = gauge('ledger_up', 'Whether PostgreSQL has answered the last question');
  const all = [jobs, oldest, outbox, oldestMessage, events, oldestEvent, deadLetters, workers, failing];

  const measure = async (): Promise<void> => {
    const [openJobs, messages, waitingEvents, letters, readers] = await Promise.all([
      measureOpenJobs.run(pool),
      measureOutbox.run(pool),
      measureEventOutbox.run(pool),
      measureDeadLetters.run(pool),
      readQueueReaders.run(pool),
    ]);
    for (const one of all) one.reset();
    for (const { kind, queue, broker, state, count, oldestSeconds } of openJobs) {
      jobs.set({ kind, queue, broker, state }, count);
      if (state === 'due') oldest.set({ kind, queue, broker }, oldestSeconds);
    }
    for (const { broker, due, later, oldestSeconds } of messages) {
      outbox.set({ broker, state: 'due' }, due);
      outbox.set({ broker, state: 'later' }, later);
      oldestMessage.set({ broker }, oldestSeconds);
    }
    for (const { kind: event, count, oldestSeconds } of waitingEvents) {
      events.set({ event }, count);
      oldestEvent.set({ event }, oldestSeconds);
    }
    for (const { broker, queue, isJob, count } of letters) {
      deadLetters.set({ broker, queue, of: isJob ? 'job' : 'message' }, count);
    }
    for (const { broker, queue, workers: number, failing: bad } of readers) {
      workers.set({ broker, queue }, number);
      failing.set({ broker, queue }, bad);
    }
  };

  let measuredAt = -Infinity;
  let measuring: Promise<void> | undefined;

  /** One measurement for all gauges, which are read at the same time. */
  function refresh(): Promise<void> {
    if (measuring) return measuring;
    if (performance.now() - measuredAt < freshMs) return Promise.resolve();
    measuring = measure()
      .then(
        () => up.set(1),
        () => {
          for (const one of all) one.reset();
          up.set(0);
        },
      )
      .finally(() => {
        measuring = undefined;
        measuredAt = performance.now();
      });
    return measuring;
  }
}
