import { EventEmitter } from 'node:events';
import type { AcceptedJob, ClaimedJob, Settlement, SweptJob } from '@app/persistence';
import type { Delivery } from './port/broker-driver';

/** Everything worth a log line or a metric. The core emits; whoever watches subscribes. */
export interface MessagingEventMap {
  accepted: [job: AcceptedJob, tenant: string];
  published: [broker: string, count: number];
  publish_failed: [broker: string, error: unknown, retryInMs: number];
  subscribed: [broker: string, queue: string];
  claimed: [job: ClaimedJob];
  settled: [job: ClaimedJob, settlement: Pick<Settlement, 'state' | 'delayMs' | 'error'>, tookMs: number];
  /** A message that had nothing to say any more: its dispatch is done, taken or replaced. */
  stale: [delivery: Delivery, id: string, dispatch: number];
  /** A worker that came back too late: what it did was not written. */
  fenced: [job: ClaimedJob];
  set_aside: [delivery: Delivery, reason: string, detail: string];
  /** The core itself failed at a delivery; its job comes back by its lease. */
  passage_failed: [delivery: Delivery, error: unknown];
  swept: [job: SweptJob];
  forgotten: [broker: string, queue: string, count: number];
  /** A broker could not be asked what it holds. */
  reconcile_failed: [broker: string, error: unknown, retryInMs: number];
  /** A statement of the core could not be run and is tried again. */
  database_away: [what: string, error: unknown, retryInMs: number];
}

export class MessagingEvents extends EventEmitter<MessagingEventMap> {}
