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
  /** The first is 1. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly createdAt: Date;
  readonly payload: PayloadOf<D>;
}

/** @typeParam Tx the transaction as the application's client has it, with its tables */
export interface JobContext<Tx = Transaction> {
  /** The same at every attempt of a job: give it to whoever can refuse a second effect with the same key. */
  readonly effectKey: string;
  /** Aborts at time-out, cancel, drain and when the lease is lost. Hand it on to everything that waits. */
  readonly signal: AbortSignal;
  /** @param percent 0 to 100; written to the job at most twice a second */
  readonly progress: (percent: number, note?: string) => void;
  /** Of a parent: what its children have come to, in the order in which they were given. */
  readonly childResults: () => Promise<readonly ChildResult[]>;
  /**
   * Effect, dedupe row and completion in one commit: exactly once for what is written through `tx`.
   * The last thing a handler does: `return ctx.transaction(async (tx) => { …; return done(result); })`.
   * @throws Fenced, with everything rolled back, when the job is no longer this worker's
   */
  readonly transaction: <Result>(work: (tx: Tx) => Promise<Outcome<Result>>) => Promise<Outcome<Result>>;
}

export interface Handler<D extends JobDefinition> {
  handle(job: JobOf<D>, context: JobContext): Promise<Outcome<ResultOf<D>>>;
}

/** Finds the decorated classes at boot. */
export const handlerMark = DiscoveryService.createDecorator<JobDefinition>();

/** Marks the one class that runs the jobs of a definition. It is a provider like any other. */
export function JobHandler<D extends JobDefinition>(definition: D) {
  return (target: new (...dependencies: never[]) => Handler<D>): void => {
    Injectable()(target);
    handlerMark(definition)(target);
  };
}
