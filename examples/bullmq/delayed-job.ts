/**
 * Delayed jobs: stored at once, processed when they are due.
 *
 * A delay is the earliest time, not the exact one: a busy worker starts the job later. The delay uses the clocks of the
 * process that adds the job and of the workers, so keep these clocks synchronised.
 *
 * Shows: delay
 * Expect:
 *   added: states delayed, delayed, waiting
 *   "at once" ran
 *   "after 300 ms" ran
 *   promoted by hand: "in an hour" is waiting
 *   "in an hour" ran
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';

const connection = { url: process.env.REDIS_URL || 'redis://localhost:6379' };
const name = `example-delayed-job-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const queue = new Queue(name, { connection });
  const hour = await queue.add('in an hour', {}, { delay: 3_600_000 });
  const soon = await queue.add('after 300 ms', {}, { delay: 300 });
  const now = await queue.add('at once', {});
  const states = await Promise.all([hour, soon, now].map((job) => job.getState()));
  console.log(`added: states ${states.join(', ')}`);

  const ran: string[] = [];
  const waited: Record<string, number> = {};
  const worker = new Worker(
    name,
    async (job) => {
      ran.push(job.name);
      waited[job.name] = Date.now() - job.timestamp; // `timestamp` is when it was added.
      console.log(`"${job.name}" ran, ${waited[job.name]} ms after it was added`);
    },
    { connection },
  );
  while (ran.length < 2) await delay(20);

  await hour.promote(); // Or `changeDelay(ms)`.
  console.log('promoted by hand: "in an hour" is waiting');
  while (ran.length < 3) await delay(20);

  await worker.close();
  await queue.obliterate({ force: true });
  await queue.close();

  assert.deepEqual(states, ['delayed', 'delayed', 'waiting']);
  assert.deepEqual(ran, ['at once', 'after 300 ms', 'in an hour']);
  assert.ok(waited['after 300 ms']! >= 300, 'A delayed job ran too early.');
}

void main();
