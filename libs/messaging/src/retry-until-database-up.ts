import { setTimeout as delay } from 'node:timers/promises';
import { isDatabaseUnavailable } from '@app/ledger';
import type { MessagingSignals } from './messaging-signals';

const firstMs = 100;
const longestMs = 2_000;

/**
 * The back-off for everything that must continue when a server comes back: doubles from 100 ms to 2 s, half of it
 * random.
 * @param failures how many tries have failed, 1 or more
 * @returns milliseconds
 */
export function backOffMs(failures: number): number {
  const grown = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 10));
  return Math.round(grown / 2 + (Math.random() * grown) / 2);
}

/**
 * Runs a statement until PostgreSQL answers, with a back-off between the tries.
 * @param what names the statement in the signal `database_away`
 * @param check throws when an error is final. Default: every error that does not mean an unavailable database is final
 * @throws the error of `check`
 */
export async function retryUntilDatabaseUp<Result>(
  what: string,
  signals: MessagingSignals,
  statement: () => Promise<Result>,
  check = (error: unknown): void => {
    if (!isDatabaseUnavailable(error)) throw error;
  },
  sleep: (ms: number) => Promise<unknown> = delay,
): Promise<Result> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await statement();
    } catch (error) {
      check(error);
      const retryInMs = backOffMs(failures);
      signals.emit('database_away', what, error, retryInMs);
      await sleep(retryInMs);
    }
  }
}
