import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits for a promise with a time-out. The promise itself continues after the time-out.
 * @param ms milliseconds
 * @param otherwise the message of the error after the time-out
 * @throws Error after `ms`; the error of the promise
 */
export async function withTimeout<Result>(ms: number, promise: Promise<Result>, otherwise: string): Promise<Result> {
  promise.catch(() => undefined); // The promise may still reject after the time-out.
  const over = new AbortController();
  const tooLate = delay(ms, undefined, { signal: over.signal }).then(() => {
    throw new Error(otherwise);
  });
  tooLate.catch(() => undefined);
  return Promise.race([promise, tooLate]).finally(() => over.abort());
}
