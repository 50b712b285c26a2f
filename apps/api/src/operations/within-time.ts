import { setTimeout as delay } from 'node:timers/promises';

/** A broker that has not said what it holds by then counts as down. */
const answerMs = 1_500;

/** @throws Error when the answer comes too late */
export async function withinTime<Result>(answer: Promise<Result>): Promise<Result> {
  const timeOut = new AbortController();
  const tooLate = delay(answerMs, undefined, { signal: timeOut.signal }).then(() => {
    throw new Error(`It did not answer within ${answerMs} ms.`);
  });
  tooLate.catch(() => undefined); // Broken off when the answer came first.
  return Promise.race([answer, tooLate]).finally(() => timeOut.abort());
}
