/**
 * Job schedulers: jobs at a fixed interval or by a cron pattern.
 *
 * A scheduler has an id, and `upsertJobScheduler` creates or changes it. So every process may set the schedule at its
 * start, and there is still one scheduler. It replaces `add(…, { repeat })`, which no longer exists.
 * The next job is created when the one before it starts. So a queue without workers does not accumulate overdue jobs.
 *
 * Expect:
 *   cron: the next digest is at 07:00 in Berlin
 *   "heartbeat" set three times: 2 schedulers in all
 *   tick 1
 *   tick 2
 *   tick 3
 *   removed: no scheduler and none of their jobs is left
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';

const connection = { url: process.env.REDIS_URL || 'redis://localhost:6379' };
const name = `example-scheduler-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const queue = new Queue(name, { connection });

  await queue.upsertJobScheduler('digest', { pattern: '0 7 * * *', tz: 'Europe/Berlin' });
  const digest = await queue.getJobScheduler('digest');
  const time = new Date(digest?.next ?? 0).toLocaleTimeString('en-GB', {
    timeZone: 'Europe/Berlin',
    timeStyle: 'short',
  });
  console.log(`cron: the next digest is at ${time} in Berlin`);

  // As three processes would do at their start.
  for (const every of [500, 500, 150]) {
    await queue.upsertJobScheduler('heartbeat', { every }, { name: 'beat', data: { to: 'ops@example.com' } });
  }
  const schedulers = await queue.getJobSchedulersCount();
  console.log(`"heartbeat" set three times: ${schedulers} schedulers in all`);

  const ticks: number[] = [];
  const worker = new Worker(
    name,
    async () => {
      ticks.push(Date.now());
      console.log(`tick ${ticks.length}`);
    },
    { connection },
  );
  while (ticks.length < 3) await delay(20);

  await queue.removeJobScheduler('heartbeat');
  await queue.removeJobScheduler('digest');
  await worker.close();
  const left = (await queue.getJobSchedulersCount()) + (await queue.getDelayedCount());
  console.log(`removed: ${left === 0 ? 'no scheduler and none of their jobs is left' : `${left} are left`}`);
  await queue.obliterate({ force: true });
  await queue.close();

  assert.equal(time, '07:00');
  assert.equal(schedulers, 2);
  assert.ok(ticks[2]! - ticks[0]! >= 150, 'The ticks came too fast.');
  assert.equal(left, 0);
}

void main();
