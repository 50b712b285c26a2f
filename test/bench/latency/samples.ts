import { setTimeout as delay } from 'node:timers/promises';

/** How many come first and do not count: connections open, code gets warm. */
const warmUps = 20;
const arrivalWithinMs = 30_000;

/**
 * One after the other, each when the last one has arrived and 20 to 80 ms have passed: the system is idle.
 * @param sample one job @returns milliseconds that it took
 */
export async function sampleOnIdle(count: number, sample: (n: number) => Promise<number>): Promise<number[]> {
  const samples: number[] = [];
  for (let n = 1; n <= warmUps + count; n += 1) {
    await delay(20 + Math.random() * 60);
    const tookMs = await within(arrivalWithinMs, sample(n));
    if (n > warmUps) samples.push(tookMs);
  }
  return samples;
}

async function within<Result>(ms: number, promise: Promise<Result>): Promise<Result> {
  const timer = new AbortController();
  const late = delay(ms, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`A job had no effect within ${ms} ms.`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
    late.catch(() => undefined);
  }
}
