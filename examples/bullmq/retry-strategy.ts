/**
 * Retry: fixed and exponential backoff, jitter, a custom strategy, and no retry.
 *
 * The place of each option matters, and older tutorials have it wrong: `attempts` and `backoff` belong to the JOB's
 * options (or to the queue's defaultJobOptions). Only the code of a custom strategy belongs to the WORKER, in its
 * `settings`.
 * `attempts` includes the first try and defaults to 1: no retry at all.
 * A job waits for its retry in the delayed set, so the worker is free meanwhile.
 *
 * Shows: retry
 * Expect:
 *   fixed: 3 attempts, pauses of at least 100, 100 ms
 *   exponential: 3 attempts, pauses of at least 100, 200 ms
 *   jitter: 3 attempts, pauses of at least 50, 50 ms
 *   custom: 3 attempts, pauses of at least 50, 100 ms
 *   hopeless: 1 attempt
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue, UnrecoverableError, Worker } from 'bullmq';

const connection = { url: process.env.REDIS_URL || 'redis://localhost:6379' };
const name = `example-retry-strategy-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const queue = new Queue(name, { connection });
  await queue.addBulk([
    { name: 'fixed', data: {}, opts: { attempts: 3, backoff: { type: 'fixed', delay: 100 } } },
    // 100, 200, 400, …: delay * 2 ** (attempts made - 1)
    { name: 'exponential', data: {}, opts: { attempts: 3, backoff: { type: 'exponential', delay: 100 } } },
    // Any pause between 50 and 100 ms: jobs that failed together do not come back together.
    { name: 'jitter', data: {}, opts: { attempts: 3, backoff: { type: 'fixed', delay: 100, jitter: 0.5 } } },
    { name: 'custom', data: {}, opts: { attempts: 3, backoff: { type: 'linear' } } },
    { name: 'hopeless', data: {}, opts: { attempts: 3, backoff: { type: 'fixed', delay: 100 } } },
  ]);

  const starts: Record<string, number[]> = {};
  const worker = new Worker(
    name,
    async (job) => {
      (starts[job.name] ??= []).push(Date.now());
      if (job.name === 'hopeless') throw new UnrecoverableError('the address does not exist: no retry can help');
      throw new Error('the mail server is away');
    },
    {
      connection,
      concurrency: 5,
      settings: {
        // One function for all types that BullMQ does not know. -1 gives up.
        backoffStrategy: (attemptsMade, type) => (type === 'linear' ? attemptsMade * 50 : -1),
      },
    },
  );
  while ((await queue.getFailedCount()) < 5) await delay(20);
  await worker.close();
  await queue.obliterate({ force: true });
  await queue.close();

  const leastPauses = { fixed: [100, 100], exponential: [100, 200], jitter: [50, 50], custom: [50, 100], hopeless: [] };
  const pausesOf = (job: string): number[] => starts[job]!.slice(1).map((start, index) => start - starts[job]![index]!);
  for (const [job, least] of Object.entries(leastPauses)) {
    const rule = `s, pauses of at least ${least.join(', ')} ms (were ${pausesOf(job).join(', ')})`;
    console.log(`${job}: ${starts[job]!.length} attempt${least.length > 0 ? rule : ''}`);
  }

  for (const [job, least] of Object.entries(leastPauses)) {
    assert.equal(starts[job]!.length, least.length + 1, job);
    pausesOf(job).forEach((pause, index) => assert.ok(pause >= least[index]!, `${job} came back after ${pause} ms.`));
  }
}

void main();
