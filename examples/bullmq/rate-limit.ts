/**
 * Rate limit: at most `max` jobs per period, over all workers of the queue.
 *
 * The limiter is an option of the WORKER, not of the queue as in older tutorials. Redis holds the count, so the workers
 * share it; give all of them the same limit. `queue.setGlobalRateLimit(max, duration)` is the newer way: Redis stores
 * the limit, and no worker needs to know it.
 * A window begins with its first job, and the count restarts when the window ends. So more jobs than the limit may
 * start close together around the border of two windows.
 * When the other side answers "too many requests", a processor can stop the queue for a while: `await
 * queue.rateLimit(ms); throw Worker.RateLimitError();`. The job goes back to the queue and loses no attempt.
 *
 * Shows: rateLimit
 * Expect:
 *   6 jobs, 2 workers, 2 jobs per 300 ms: the last started … ms after the first
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';

const connection = { url: process.env.REDIS_URL || 'redis://localhost:6379' };
const name = `example-rate-limit-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const queue = new Queue(name, { connection });
  await queue.addBulk(Array.from({ length: 6 }, () => ({ name: 'sms', data: {} })));

  const begunAt = performance.now();
  const starts: number[] = [];
  const limiter = { max: 2, duration: 300 };
  const workers = ['A', 'B'].map(
    (worker) =>
      new Worker(
        name,
        async () => {
          starts.push(performance.now());
          console.log(`worker ${worker} starts one at ${Math.round(starts.at(-1)! - starts[0]!)} ms`);
          await delay(30);
        },
        { connection, limiter },
      ),
  );
  while (starts.length < 6) await delay(20);

  const took = Math.round(starts[5]! - starts[0]!);
  console.log(`6 jobs, 2 workers, 2 jobs per 300 ms: the last started ${took} ms after the first`);
  await Promise.all(workers.map((worker) => worker.close()));
  await queue.obliterate({ force: true });
  await queue.close();

  // Redis began the first window after `begunAt`, and two whole windows lie before the last start. A processor may start
  // later than its job was taken, so the first start is no measure. Redis counts whole milliseconds.
  assert.ok(starts[5]! - begunAt > 595, 'The limit did not hold.');
}

void main();
