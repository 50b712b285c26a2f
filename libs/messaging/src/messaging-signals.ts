import { EventEmitter } from 'node:events';
import type { AcceptedJob, ClaimedJob, Redrive, Settlement, SweptJob } from '@app/ledger';
import type { Delivery } from './port/consumer';
import type { ParsedMessage } from './port/job-message';

/** What became of a job: the decision, and the state that the ledger stored. */
export type Settled = Pick<Settlement, 'state' | 'delayMs' | 'attemptChange' | 'error'>;

/** Everything worth a log line or a metric. The core emits these signals; logs and metrics subscribe to them. */
export interface MessagingSignalMap {
  accepted: [job: AcceptedJob, tenant: string];
  /** The jobs that an accepted job waits for. */
  children_accepted: [children: readonly Pick<AcceptedJob, 'kind' | 'broker'>[]];
  /** A request with a known idempotency key was answered with its first job. */
  replayed: [job: AcceptedJob];
  /** The event of another service has become a job, or had become one before. */
  foreign_event_enqueued: [job: AcceptedJob, source: string];
  published: [broker: string, count: number];
  publish_failed: [broker: string, error: unknown, retryInMs: number];
  /** The broker refuses a message for good. Its job has failed, or its event is dead-lettered. */
  message_refused: [broker: string, id: string, reason: string];
  /** The broker has confirmed the messages; their rows are still in the outbox. */
  confirmed: [broker: string, count: number];
  subscribed: [broker: string, queue: string];
  /** A readable message has arrived; nothing has been done yet. */
  received: [message: ParsedMessage];
  claimed: [job: ClaimedJob];
  /** The handler has ended; the ledger has not recorded it yet. */
  handled: [job: ClaimedJob];
  /** The ledger has recorded the outcome; the message is not acknowledged yet. */
  settled: [job: ClaimedJob, settlement: Settled, tookMs: number];
  /** The message was stale: its dispatch is final, claimed or replaced, or its queue is paused. */
  stale: [delivery: Delivery, id: string, dispatch: number];
  /** No more messages are taken; those in flight continue. */
  draining: [];
  /** The worker was fenced: it wrote nothing. */
  fenced: [job: ClaimedJob];
  dead_lettered: [delivery: Delivery, reason: string, detail: string];
  /** The core itself failed at a delivery; the lease brings its job back. */
  delivery_failed: [delivery: Delivery, error: unknown];
  /** Failed jobs were redriven. */
  redriven: [jobIds: readonly string[], by: string];
  /** All its dead letters were redriven, or it has stopped because most jobs failed again. */
  redrive_ended: [redriveId: string, state: Redrive['state']];
  swept: [job: SweptJob];
  /** Rows that were older than their retention. */
  deleted: [what: string, count: number];
  /** The rows stay until the next run. */
  retention_failed: [what: string, error: unknown, retryInMs: number];
  /** How many messages of a queue the broker holds that no worker has acknowledged; on Kafka the lag of the workers. */
  measured: [broker: string, queue: string, messages: number];
  forgotten: [broker: string, queue: string, count: number];
  /** A subscriber failed to handle an event, and retries it. */
  event_failed: [kind: string, subscriber: string, eventId: string, error: unknown, retryInMs: number];
  /** Events were handled in one transaction; `fresh` does not count those handled before. */
  events_handled: [kind: string, subscriber: string, fresh: number, together: number];
  /** The relay could not read the depth of a queue, so it did not look for lost messages. It tries again. */
  reconcile_failed: [broker: string, error: unknown, retryInMs: number];
  /** A statement of the core failed and is retried. */
  database_away: [what: string, error: unknown, retryInMs: number];
}

export class MessagingSignals extends EventEmitter<MessagingSignalMap> {}
