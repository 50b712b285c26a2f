import { EventEmitter } from 'node:events';
import type { AcceptedJob, ClaimedJob, Settlement, SweptJob } from '@app/ledger';
import type { Delivery } from './port/broker-driver';
import type { ParsedMessage } from './port/job-message';

/** What has become of a job: the decision, and what the ledger made of it. */
export type Settled = Pick<Settlement, 'state' | 'delayMs' | 'attemptChange' | 'error'>;

/** Everything worth a log line or a metric. The core emits; whoever watches subscribes. */
export interface MessagingSignalMap {
  accepted: [job: AcceptedJob, tenant: string];
  /** The event of another service has become a job; or was one already. */
  foreign_event_enqueued: [job: AcceptedJob, source: string];
  published: [broker: string, count: number];
  publish_failed: [broker: string, error: unknown, retryInMs: number];
  /** The broker takes a message never; its job has failed, or its event is a dead letter. */
  message_refused: [broker: string, id: string, reason: string];
  /** The broker has the messages; their rows are still in the outbox. */
  confirmed: [broker: string, count: number];
  subscribed: [broker: string, queue: string];
  /** A message that can be read has come; nothing was done about it yet. */
  received: [message: ParsedMessage];
  claimed: [job: ClaimedJob];
  /** The handler has ended; the ledger does not know yet. */
  handled: [job: ClaimedJob];
  /** The ledger knows; the broker does not yet. */
  settled: [job: ClaimedJob, settlement: Settled, tookMs: number];
  /** A message that had nothing to say any more: its dispatch is done, taken or replaced. */
  stale: [delivery: Delivery, id: string, dispatch: number];
  /** No more deliveries are taken; those in hand go on. */
  draining: [];
  /** A worker that came back too late: what it did was not written. */
  fenced: [job: ClaimedJob];
  dead_lettered: [delivery: Delivery, reason: string, detail: string];
  /** The core itself failed at a delivery; its job comes back by its lease. */
  delivery_failed: [delivery: Delivery, error: unknown];
  /** Failed jobs were given another life. */
  redriven: [jobIds: readonly string[], by: string];
  swept: [job: SweptJob];
  forgotten: [broker: string, queue: string, count: number];
  /** A subscriber could not handle an event, and tries it again. */
  event_failed: [kind: string, subscriber: string, eventId: string, error: unknown, retryInMs: number];
  /** Events were handled in one transaction; those that had come before are not among the fresh ones. */
  events_handled: [kind: string, subscriber: string, fresh: number, together: number];
  /** A broker could not be asked what it holds. */
  reconcile_failed: [broker: string, error: unknown, retryInMs: number];
  /** A statement of the core could not be run and is tried again. */
  database_away: [what: string, error: unknown, retryInMs: number];
}

export class MessagingSignals extends EventEmitter<MessagingSignalMap> {}
