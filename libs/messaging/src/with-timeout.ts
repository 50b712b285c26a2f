import { setTimeout as delay } from 'node:timers/promises';

/** @throws Error when `ms` are over; what the promise still does is nobody's concern then */
export async function withTimeout<Result>(ms: number, promise: Promise<Result>, otherwise: string): Promise<Result> {
  promise.catch(() => undefined); // It may still fail when nobody waits for it any more.
  const over = new AbortController();
  const tooLate = delay(ms, undefined, { signal: over.signal }).then(() => {
    throw new Error(otherwise);
  });
  tooLate.catch(() => undefined);
  return Promise.race([promise, tooLate]).finally(() => over.abort());
}
