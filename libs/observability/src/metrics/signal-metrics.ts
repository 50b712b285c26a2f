import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { MessagingSignals } from '@app/messaging';

/** From 5 ms to an hour, in seconds. */
const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600];

/**
 * Counts the signals of the core. Each is emitted after its commit, so the counters say what the ledger has stored. No
 * label has a value that a caller chooses: kinds, queues, brokers and subscribers are those of the catalogue.
 */
export function countSignals(signals: MessagingSignals, registry: Registry): void {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers });
  const histogram = (name: string, help: string) =>
    new Histogram({ name, help, labelNames: ['kind', 'broker'] as const, buckets: seconds, registers });

  const enqueued = counter('jobs_enqueued_total', 'Jobs accepted, child jobs too', 'kind', 'broker');
  const replayed = counter('jobs_replayed_total', 'Requests answered with the job of their idempotency key', 'kind');
  const started = counter('jobs_started_total', 'Attempts that began', 'kind', 'broker');
  const ended = counter(
    'jobs_ended_total',
    'Attempts that ended. Outcome: completed, failed or cancelled (final), retried, or returned (not counted as an attempt)',
    'kind',
    'broker',
    'outcome',
  );
  const waited = histogram('job_schedule_to_start_seconds', 'From the time when an attempt was due to its start');
  const ran = histogram('job_run_seconds', 'From the start of an attempt to its stored outcome');
  const lived = histogram('job_end_to_end_seconds', 'From the acceptance of a job to its final state, delays included');
  const stale = counter(
    'messages_stale_total',
    'Messages of a dispatch that is final, claimed or replaced',
    'broker',
    'queue',
  );
  const fenced = counter(
    'attempts_fenced_total',
    'Outcomes not recorded, because the lease was lost',
    'kind',
    'broker',
  );
  const expired = counter('leases_expired_total', 'Leases whose worker was silent too long', 'kind', 'state');
  const published = counter('messages_published_total', 'Messages that the broker has confirmed', 'broker');
  const unpublished = counter(
    'publish_failures_total',
    'Failed tries to publish; the messages stay in the outbox',
    'broker',
  );
  const refused = counter('messages_refused_total', 'Messages that the broker refuses for good', 'broker');
  const lost = counter(
    'messages_lost_total',
    'Messages that the broker has lost; their jobs were dispatched again',
    'broker',
    'queue',
  );
  const held = new Gauge({
    name: 'broker_queue_messages',
    help: 'Messages of a queue in the broker that no worker has acknowledged',
    labelNames: ['broker', 'queue'],
    registers,
  });
  const deleted = counter('ledger_rows_deleted_total', 'Rows older than their retention', 'what');
  const undeleted = counter('retention_failures_total', 'Failed tries to delete them; they are repeated', 'what');
  const unreadable = counter(
    'messages_unreadable_total',
    'Messages dead-lettered because they cannot be read',
    'broker',
    'queue',
    'reason',
  );
  const faults = counter('delivery_faults_total', 'Deliveries that the core could not process', 'broker', 'queue');
  const events = counter('events_handled_total', 'Events handled for the first time', 'event', 'subscriber');
  const repeated = counter(
    'events_repeated_total',
    'Events skipped because they were handled before',
    'event',
    'subscriber',
  );
  const eventFailures = counter('event_failures_total', 'Failed tries to handle an event', 'event', 'subscriber');
  const databaseFaults = counter(
    'database_faults_total',
    'Statements of the core that failed and are retried',
    'statement',
  );

  signals.on('accepted', ({ kind, broker }) => enqueued.inc({ kind, broker }));
  signals.on('children_accepted', (children) => {
    for (const { kind, broker } of children) enqueued.inc({ kind, broker });
  });
  signals.on('replayed', ({ kind }) => replayed.inc({ kind }));
  signals.on('foreign_event_enqueued', ({ kind, broker, replayed: isRepeated }) => {
    if (isRepeated) replayed.inc({ kind });
    else enqueued.inc({ kind, broker });
  });
  signals.on('claimed', ({ kind, broker, runAt, startedAt }) => {
    started.inc({ kind, broker });
    waited.observe({ kind, broker }, Math.max(0, startedAt.getTime() - runAt.getTime()) / 1_000);
  });
  signals.on('settled', ({ kind, broker, createdAt, startedAt }, { state, attemptChange }, tookMs) => {
    const outcome = state !== 'queued' ? state : attemptChange === 0 ? 'retried' : 'returned';
    ended.inc({ kind, broker, outcome });
    ran.observe({ kind, broker }, tookMs / 1_000);
    if (state === 'queued') return;
    lived.observe({ kind, broker }, (startedAt.getTime() - createdAt.getTime() + tookMs) / 1_000);
  });
  signals.on('stale', ({ broker, queue }) => stale.inc({ broker, queue }));
  signals.on('fenced', ({ kind, broker }) => fenced.inc({ kind, broker }));
  signals.on('swept', ({ kind, state }) => expired.inc({ kind, state }));
  signals.on('published', (broker, count) => published.inc({ broker }, count));
  signals.on('publish_failed', (broker) => unpublished.inc({ broker }));
  signals.on('message_refused', (broker) => refused.inc({ broker }));
  signals.on('forgotten', (broker, queue, count) => lost.inc({ broker, queue }, count));
  signals.on('measured', (broker, queue, messages) => held.set({ broker, queue }, messages));
  signals.on('deleted', (what, count) => deleted.inc({ what }, count));
  signals.on('retention_failed', (what) => undeleted.inc({ what }));
  signals.on('dead_lettered', ({ broker, queue }, reason) => unreadable.inc({ broker, queue, reason }));
  signals.on('delivery_failed', ({ broker, queue }) => faults.inc({ broker, queue }));
  signals.on('events_handled', (event, subscriber, fresh, together) => {
    events.inc({ event, subscriber }, fresh);
    repeated.inc({ event, subscriber }, together - fresh);
  });
  signals.on('event_failed', (event, subscriber) => eventFailures.inc({ event, subscriber }));
  signals.on('database_away', (what) => databaseFaults.inc({ statement: what }));
}
