/**
 * Concurrency: how many jobs run at once, in a worker and in the whole queue.
 *
 * A worker's `concurrency` applies to that worker: two workers with 3 run six jobs. `setGlobalConcurrency` is stored
 * with the queue and applies to all workers together. Both only help jobs that wait for something: the jobs of one
 * worker share one thread.
 * Work for the CPU needs more processes, or sandboxed processors (a file instead of a function).
 *
 * Shows: concurrency
 * Expect:
 *   2 workers with concurrency 3: up to 6 at once
 *   global concurrency 2: up to 2 at once
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';

const connection = { url: process.env.REDIS_URL || 'redis://localhost:6379' };
const name = `example-concurrency-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const queue = new Queue(name, { connection });
  let running = 0;
  let most = 0;
  const workers = [1, 2].map(
    () =>
      new Worker(
        name,
        async () => {
          most = Math.max(most, (running += 1));
          await delay(150);
          running -= 1;
        },
        { connection, concurrency: 3 },
      ),
  );
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));

  const twelve = Array.from({ length: 12 }, () => ({ name: 'image', data: {} }));
  await queue.addBulk(twelve);
  while ((await queue.getCompletedCount()) < 12) await delay(20);
  const unlimited = most;
  console.log(`2 workers with concurrency 3: up to ${unlimited} at once`);

  most = 0;
  await queue.setGlobalConcurrency(2);
  await queue.addBulk(twelve);
  while ((await queue.getCompletedCount()) < 24) await delay(20);
  console.log(`global concurrency 2: up to ${most} at once`);

  await Promise.all(workers.map((worker) => worker.close()));
  await queue.obliterate({ force: true });
  await queue.close();

  assert.equal(unlimited, 6);
  assert.equal(most, 2);
}

void main();
