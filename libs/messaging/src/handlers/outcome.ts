import { toMs, type Duration } from '@app/contracts';

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
  return { type: 'retry', afterMs: after && toMs(after), reason };
}

/** Too early. Does not count as an attempt. */
export function snooze(after: Duration): Outcome<never> {
  return { type: 'snooze', afterMs: toMs(after) };
}

/** Never: trying again cannot help. The job becomes a dead letter. */
export function fail(reason: string): Outcome<never> {
  return { type: 'fail', code: 'refused_by_handler', reason };
}
