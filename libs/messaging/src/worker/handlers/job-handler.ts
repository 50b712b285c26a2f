import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { JobDefinition, PayloadOf, ResultOf } from '@app/contracts';
import type { ChildResult, Transaction } from '@app/ledger';
import type { Outcome } from './outcome';

/** The job as its handler sees it. */
export interface JobOf<D extends JobDefinition> {
  readonly id: string;
  readonly kind: string;
  readonly tenant: string;
  /** The first attempt is 1. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly createdAt: Date;
  readonly payload: PayloadOf<D>;
}

/** @typeParam Tx the transaction of the application's database client, with its tables */
export interface JobContext<Tx = Transaction> {
  /** The same for every attempt of a job. Pass it to a service as the idempotency key. */
  readonly effectKey: string;
  /** Aborts on time-out, cancel, drain and a lost lease. Pass it to every call that waits. */
  readonly signal: AbortSignal;
  /** @param percent 0 to 100; written to the job at most twice a second */
  readonly progress: (percent: number, note?: string) => void;
  /** For a parent: the results of its children, in the order in which they were enqueued. */
  readonly childResults: () => Promise<readonly ChildResult[]>;
  /**
   * Commits the effect, the row that deduplicates it and the completion together: exactly once for what `work` writes
   * through `tx`. Must be the last step of a handler:
   * `return ctx.transaction(async (tx) => { …; return done(result); })`.
   * @param work its transaction is rolled back when it returns anything but `done`
   * @throws Fenced when the worker has lost the job; everything is rolled back
   */
  readonly transaction: <Result>(work: (tx: Tx) => Promise<Outcome<Result>>) => Promise<Outcome<Result>>;
}

export interface Handler<D extends JobDefinition> {
  handle(job: JobOf<D>, context: JobContext): Promise<Outcome<ResultOf<D>>>;
}

/** The registry finds the decorated classes at boot by this mark. */
export const handlerMark = DiscoveryService.createDecorator<JobDefinition>();

/** Marks the one class that runs the jobs of a definition. The class is a provider like any other. */
export function JobHandler<D extends JobDefinition>(definition: D) {
  return (target: new (...dependencies: never[]) => Handler<D>): void => {
    Injectable()(target);
    handlerMark(definition)(target);
  };
}
