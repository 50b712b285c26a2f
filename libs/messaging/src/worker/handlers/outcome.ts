import { toMs, wholeMs, type Duration, type JobDefinition } from '@app/contracts';

/** What a handler returns. Expected results are values; an exception means `retry`, unless the attempt must stop. */
export type Outcome<Result = unknown> =
  | { readonly type: 'done'; readonly result: Result; readonly committed: boolean }
  | { readonly type: 'retry'; readonly afterMs: number | undefined; readonly reason: string }
  | { readonly type: 'snooze'; readonly afterMs: number }
  | { readonly type: 'fail'; readonly code: string; readonly reason: string };

/** The work is done. The caller can read the result. */
export function done<Result>(result: Result): Outcome<Result> {
  return { type: 'done', result, committed: false };
}

/** The attempt failed and counts. Without `after`, the definition's retry policy sets the delay. */
export function retry(reason: string, after?: Duration): Outcome<never> {
  return { type: 'retry', afterMs: after === undefined ? undefined : toMs(after), reason };
}

/** The job cannot run yet. It runs again after this time, and the attempt does not count. */
export function snooze(after: Duration): Outcome<never> {
  return { type: 'snooze', afterMs: toMs(after) };
}

/** The job fails for good, since a retry cannot help. It is dead-lettered. */
export function fail(reason: string): Outcome<never> {
  return { type: 'fail', code: 'refused_by_handler', reason };
}

/**
 * Checks what a handler has returned, which it may have built without the functions above. Checks a result against the
 * definition, because callers rely on its schema: one that does not fit fails the job for good.
 * @throws TypeError for a value that is not an outcome; RangeError for an invalid duration
 */
export function checkedOutcome<Result>(
  outcome: Outcome<Result> | undefined,
  definition: Pick<JobDefinition, 'result'>,
): Outcome<Result> {
  // Without types, a handler that returns nothing compiles.
  switch (outcome?.type) {
    case 'done': {
      if (outcome.committed) return outcome;
      const result = definition.result.safeParse(outcome.result);
      return result.success
        ? { ...outcome, result: result.data as Result }
        : { type: 'fail', code: 'result_invalid', reason: result.error.message };
    }
    case 'fail':
      return outcome;
    case 'retry':
      return outcome.afterMs === undefined ? outcome : { ...outcome, afterMs: wholeMs(outcome.afterMs) };
    case 'snooze':
      return { ...outcome, afterMs: wholeMs(outcome.afterMs) };
    default:
      throw new TypeError(
        `Expected the outcome of a handler: done(…), retry(…), snooze(…) or fail(…); got ${JSON.stringify(outcome)}.`,
      );
  }
}
