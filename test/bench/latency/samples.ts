import { setTimeout as delay } from 'node:timers/promises';

/** The first samples do not count, because connections and code are still cold. */
const warmUps = 20;
const arrivalWithinMs = 30_000;

/**
 * Takes one sample after another, each 20 to 80 ms after the last one has arrived, so that the system is idle.
 * @param sample runs one job
 * @returns its duration in milliseconds
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
