import { isWhole } from './definition-checks';
import { longestMs, toMs, type Duration } from './duration';

/**
 * When a failed attempt is retried. Plain data, so that it can be printed, compared and documented. `full` jitter draws
 * the delay evenly from 0 to the computed one, so that jobs that failed together do not come back together
 * ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 */
export interface RetryPolicy {
  readonly type: 'fixed' | 'exponential';
  /** How often the handler runs at most, the first attempt included. A whole number from 1 to 32,767. */
  readonly attempts: number;
  /** Whole milliseconds, at least 1. The same rule applies to `maxMs`. */
  readonly baseMs: number;
  readonly maxMs: number;
  readonly jitter: 'none' | 'full';
}

const mostAttempts = 32_767; // The largest PostgreSQL smallint.

/**
 * Checks a policy, which may have been built without `exponential` and `fixed`.
 * @param longest the longest possible wait between two attempts, in milliseconds
 * @returns for each field: true, or what was expected and what came
 */
export function retryChecks({ attempts, baseMs, maxMs }: RetryPolicy, longest = longestMs): (true | string)[] {
  const expected = `expected whole milliseconds from 1 to ${longest}, got`;
  return [
    isWhole(attempts, mostAttempts) ||
      `retry.attempts: expected a whole number from 1 to ${mostAttempts}, got ${attempts}`,
    isWhole(baseMs, longest) || `retry.baseMs: ${expected} ${baseMs}`,
    isWhole(maxMs, longest) || `retry.maxMs: ${expected} ${maxMs}`,
  ];
}

export function exponential({
  base,
  max,
  ...policy
}: Pick<RetryPolicy, 'attempts' | 'jitter'> & { base: Duration; max: Duration }): RetryPolicy {
  return { ...policy, type: 'exponential', baseMs: toMs(base), maxMs: toMs(max) };
}

export function fixed({ attempts, delay }: { attempts: number; delay: Duration }): RetryPolicy {
  return { type: 'fixed', attempts, baseMs: toMs(delay), maxMs: toMs(delay), jitter: 'none' };
}

/**
 * @param attempt the attempt that has just failed; the first is 1
 * @param random returns a number in [0, 1); tests replace it
 * @returns whole milliseconds until the next attempt
 */
export function nextDelayMs(policy: RetryPolicy, attempt: number, random: () => number = Math.random): number {
  const grown = policy.type === 'fixed' ? policy.baseMs : policy.baseMs * 2 ** (attempt - 1);
  const capped = Math.min(grown, policy.maxMs);
  return Math.round(policy.jitter === 'full' ? random() * capped : capped);
}
