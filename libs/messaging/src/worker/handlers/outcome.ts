import { toMs, wholeMs, type Duration } from '@app/contracts';

/** What a handler returns. Expected ends are values; a throw means `retry`. */
export type Outcome<Result = unknown> =
  | { readonly type: 'done'; readonly result: Result; readonly committed: boolean }
  | { readonly type: 'retry'; readonly afterMs: number | undefined; readonly reason: string }
  | { readonly type: 'snooze'; readonly afterMs: number }
  | { readonly type: 'fail'; readonly code: string; readonly reason: string };

/** The work is done; the caller may have the result. */
export function done<Result>(result: Result): Outcome<Result> {
  return { type: 'done', result, committed: false };
}

/** Not this time. Counts as an attempt; without `after` the definition's retry policy says when. */
export function retry(reason: string, after?: Duration): Outcome<never> {
  return { type: 'retry', afterMs: after === undefined ? undefined : toMs(after), reason };
}

/** Too early. Does not count as an attempt. */
export function snooze(after: Duration): Outcome<never> {
  return { type: 'snooze', afterMs: toMs(after) };
}

/** Never: trying again cannot help. The job becomes a dead letter. */
export function fail(reason: string): Outcome<never> {
  return { type: 'fail', code: 'refused_by_handler', reason };
}

/**
 * What a handler has returned, which may have been made without the functions above.
 * @throws TypeError for what is no outcome; RangeError for a time that is no duration
 */
export function checkedOutcome<Result>(outcome: Outcome<Result>): Outcome<Result> {
  // A handler that returns nothing compiles where it is not typed.
  switch ((outcome as Partial<Outcome> | undefined)?.type) {
    case 'done':
    case 'fail':
      return outcome;
    case 'snooze':
    case 'retry': {
      const { afterMs } = outcome as Extract<Outcome<Result>, { type: 'snooze' | 'retry' }>;
      return afterMs === undefined && outcome.type === 'retry'
        ? outcome
        : ({ ...outcome, afterMs: wholeMs(afterMs ?? Number.NaN) } as Outcome<Result>);
    }
    default:
      throw new TypeError(
        `Expected the outcome of a handler: done(…), retry(…), snooze(…) or fail(…); got ${JSON.stringify(outcome)}.`,
      );
  }
}
