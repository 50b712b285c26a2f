import type { Pool } from 'pg';
import type { ClaimedJob, OutboxWakeUp, Transactions } from '@app/ledger';
import type { MessagingSignals } from '../../messaging-signals';
import type { BrokerConsumer, Delivery } from '../../port/consumer';
import type { ParsedMessage } from '../../port/job-message';
import type { Drain } from '../drain';
import type { RegisteredHandler } from '../handlers/handler-registry';
import type { Outcome } from '../handlers/outcome';
import type { AbortReason, Lease, Leases } from '../leases';

/** The dependencies of the steps, created once per process. */
export interface WorkerDependencies {
  readonly pool: Pool;
  readonly transactions: Transactions;
  readonly signals: MessagingSignals;
  readonly leases: Leases;
  readonly leaseMs: number;
  readonly wakeUp: OutboxWakeUp;
  readonly drivers: readonly BrokerConsumer[];
  /** By kind of job. */
  readonly handlers: ReadonlyMap<string, RegisteredHandler>;
  /** When it begins, the waits before the claim end, and claimed jobs are handed back. */
  readonly drain: Drain;
}

/** What the step `parse` passes on: a delivery, its message, and the definition and the handler of its kind. */
export interface Received extends RegisteredHandler {
  readonly delivery: Delivery;
  readonly message: ParsedMessage;
}

/** What the step `claim` passes on: also the claimed job and its lease. */
export interface Claimed extends Received {
  readonly job: ClaimedJob;
  readonly lease: Lease;
}

/** How an attempt ended: with the handler's outcome, or because it was asked to stop. */
export type Ending = Outcome | { readonly type: 'aborted'; readonly reason: AbortReason };

/**
 * One step of a pipeline. Gets the output of the step before it, passes its own output to the next one, and handles
 * what the next one returns.
 */
export type Step<In, Return, Out, Returned> = (input: In, next: (output: Out) => Promise<Returned>) => Promise<Return>;

/** An ordered list of named steps. The compiler checks that each step accepts the output of the step before it. */
export class Steps<In, Return, Current, Returned> {
  private constructor(
    private readonly compose: (last: (input: Current) => Promise<Returned>) => (input: In) => Promise<Return>,
    private readonly lines: readonly string[],
  ) {}

  static from<In, Return>(): Steps<In, Return, In, Return> {
    return new Steps((last) => last, []);
  }

  /**
   * Adds a step at the end of the list.
   * @param purpose one line for the printed pipeline
   */
  step<Out, NextReturned>(
    name: string,
    purpose: string,
    run: Step<Current, Returned, Out, NextReturned>,
  ): Steps<In, Return, Out, NextReturned> {
    return new Steps((last) => this.compose((input) => run(input, last)), [...this.lines, `${name}: ${purpose}`]);
  }

  /** @returns the whole list as one function, and `name: purpose` of each step in order */
  last(name: string, purpose: string, run: (input: Current) => Promise<Returned>) {
    return { run: this.compose(run), lines: [...this.lines, `${name}: ${purpose}`] };
  }
}
