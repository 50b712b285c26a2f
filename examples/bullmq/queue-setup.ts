/**
 * The queue: its name, the default options of its jobs, and how to pause it.
 *
 * Creating a Queue starts no work. Producers add jobs to it, and workers of the same name take jobs from it
 * (producer.ts, worker.ts).
 * Older tutorials set a limiter on the queue and start a QueueScheduler beside it. Both no longer exist: the limiter
 * belongs to the worker (rate-limit.ts), and the workers themselves move delayed jobs when they are due.
 * Redis must run with `maxmemory-policy noeviction`; otherwise it may delete jobs when memory is short.
 *
 * Expect:
 *   from the queue's defaults: 3 attempts, exponential backoff
 *   a job's own options win:   1 attempt
 *   paused: jobs are added, no job is taken
 *   resumed: waiting 3
 *   removed: the queue is empty
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';

const connection = { url: process.env.REDIS_URL || 'redis://localhost:6379' };
const name = `example-queue-setup-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const queue = new Queue<{ to: string }>(name, {
    connection,
    defaultJobOptions: {
      attempts: 3,
      backoff: { type: 'exponential', delay: 1_000 },
      // Without these options, finished jobs stay in Redis for ever. Ages are in seconds.
      removeOnComplete: { age: 3_600, count: 1_000 },
      removeOnFail: { age: 7 * 24 * 3_600 },
    },
  });
  queue.on('error', (error) => console.error(`connection: ${error.message}`));

  const usual = await queue.add('email', { to: 'ada@example.com' });
  const once = await queue.add('email', { to: 'bob@example.com' }, { attempts: 1 });
  const backoff = usual.opts.backoff as { type: string };
  console.log(`from the queue's defaults: ${usual.opts.attempts} attempts, ${backoff.type} backoff`);
  console.log(`a job's own options win:   ${once.opts.attempts} attempt`);

  await queue.pause(); // For all workers of this queue, wherever they run: Redis stores the flag.
  await queue.add('email', { to: 'eve@example.com' });
  const paused = await queue.isPaused();
  console.log(`${paused ? 'paused' : 'not paused'}: jobs are added, no job is taken`);

  await queue.resume();
  const { waiting } = await queue.getJobCounts('waiting');
  console.log(`resumed: waiting ${waiting}`);

  await queue.obliterate(); // Deletes the queue with all its jobs. Refuses when jobs are active, unless forced.
  const left = await queue.count();
  console.log(`removed: the queue is ${left === 0 ? 'empty' : 'not empty'}`);
  await queue.close();

  assert.deepEqual([usual.opts.attempts, once.opts.attempts], [3, 1]);
  assert.deepEqual([paused, waiting, left], [true, 3, 0]);
}

void main();
