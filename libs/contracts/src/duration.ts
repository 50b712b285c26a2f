import ms, { type StringValue } from 'ms';

/** A length of time as text: `'250ms'`, `'1s'`, `'5m'`, `'1.5h'`. */
export type Duration = StringValue;

const dayMs = 24 * 60 * 60 * 1000;

/** The longest delay of a job, in milliseconds. */
export const longestMs = 366 * dayMs;

/** A timer of Node must be shorter than 2^31 ms; a longer one fires at once. */
export const longestTimerMs = 24 * dayMs;

/**
 * Converts to whole milliseconds, which PostgreSQL and the brokers require: `ms('1.1h')` is 3960000.0000000005.
 * @returns whole milliseconds, at least 1
 * @throws RangeError when the text is not a positive duration of at most 366 days
 */
export function toMs(duration: Duration): number {
  return wholeMs(ms(duration), duration);
}

/**
 * @param shown the value as an error message shows it
 * @returns the same length of time in whole milliseconds, at least 1
 * @throws RangeError for a value that is not a number, not positive, or longer than 366 days
 */
export function wholeMs(milliseconds: number, shown = String(milliseconds)): number {
  if (!(milliseconds > 0 && milliseconds <= longestMs)) {
    throw new RangeError(
      `Expected a duration from 1 ms to ${longestMs} ms (366 days), such as "1s" or "5m"; got "${shown}".`,
    );
  }
  return Math.max(1, Math.round(milliseconds));
}
