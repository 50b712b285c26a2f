import type { Pool } from 'pg';
import type { ClaimedJob, Dispatch, OutboxWakeUp, SettledState, Settlement, Transactions } from '@app/ledger';
import type { Batcher } from '../batcher';
import type { Drain } from '../drain';
import type { RegisteredHandler } from '../handlers/handler-registry';
import type { Outcome } from '../handlers/outcome';
import type { AbortReason, Lease } from '../lease';
import type { Leases } from '../leases';
import type { MessagingSignals } from '../../messaging-signals';
import type { Delivery } from '../../port/broker-driver';
import type { ParsedMessage } from '../../port/job-message';
import type { ConcurrencyLimiter } from '../concurrency-limiter';
import type { RateLimiter } from '../rate-limiter';

/** Claims of concurrent deliveries share one statement. The result is undefined for a stale dispatch. */
export type ClaimBatcher = Batcher<Dispatch, ClaimedJob | undefined>;

/** Settlements of concurrent jobs share one statement. The result is undefined for a fenced dispatch. */
export type SettleBatcher = Batcher<Settlement, SettledState | undefined>;

/** The dependencies of the steps, created once per process. */
export interface WorkerDependencies {
  readonly pool: Pool;
  readonly transactions: Transactions;
  readonly signals: MessagingSignals;
  readonly leases: Leases;
  readonly wakeUp: OutboxWakeUp;
  readonly handlers: ReadonlyMap<string, RegisteredHandler>;
  readonly concurrencyLimiters: ReadonlyMap<string, ConcurrencyLimiter>;
  readonly rateLimiter: RateLimiter;
  /** When it begins, the waits before the claim end. */
  readonly drain: Drain;
  readonly claimBatcher: ClaimBatcher;
  readonly settleBatcher: SettleBatcher;
}

/** A delivery after the step `parse`. */
export interface Received extends RegisteredHandler {
  readonly delivery: Delivery;
  readonly message: ParsedMessage;
}

/** A delivery after the step `claim`. */
export interface Claimed extends Received {
  readonly job: ClaimedJob;
  readonly lease: Lease;
}

/** How an attempt ended: with the handler's outcome, or because it was asked to stop. */
export type Ending = Outcome | { readonly type: 'aborted'; readonly reason: AbortReason };
