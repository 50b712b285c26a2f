/**
 * A stalled job: its worker is killed, and another worker runs the job again.
 *
 * While a processor runs, its worker renews the lock of the job. A killed worker renews nothing. When the lock has
 * expired, the stalled check of another worker moves the job back to `waiting`. So a processor can run twice for one
 * job. Neither `attempts: 1` nor a unique job id prevents this, because a stall is not a failed attempt.
 * `maxStalledCount` (default 1) is the limit. A job that stalls more often fails, and its processor does not run again.
 * Here a lock lasts 1 s and the check runs every 500 ms. The default of both is 30 s.
 *
 * Expect:
 *   order-4711: waiting, active, waiting, stalled, active, completed
 *   2 emails for one job id: attempts 1, attemptsStarted 2, stalledCounter 1
 *   with maxStalledCount 0: failed after 1 email, because: job stalled more than allowable limit
 */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue, QueueEvents, Worker } from 'bullmq';

const connection = { url: process.env.REDIS_URL || 'redis://localhost:6379' };
const stalledInterval = 500; // The same in all workers: after a check, the queue allows no other for this time.

/** Runs in a process of its own. It "sends the email", and is killed before the job has completed. */
function runDoomedWorker(name: string): void {
  const processor = (): Promise<void> => {
    process.send!('email sent');
    return new Promise(() => undefined);
  };
  new Worker(name, processor, { connection, lockDuration: 1_000, stalledInterval });
  process.on('disconnect', () => process.exit());
}

/** This file, in a second process: `process.argv[2]` is the name of the queue. */
async function runAndKill(name: string): Promise<void> {
  const doomed = fork(__filename, [name]);
  await once(doomed, 'message');
  doomed.kill('SIGKILL');
  await once(doomed, 'exit');
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const name = `example-stalled-job-${randomUUID()}`;
  const queue = new Queue(name, { connection });
  const events = new QueueEvents(name, { connection, lastEventId: '0' }); // '0': from the first event of the queue.
  const seen: string[] = [];
  for (const event of ['waiting', 'active', 'stalled', 'completed'] as const) events.on(event, () => seen.push(event));

  await queue.add('email', {}, { jobId: 'order-4711', attempts: 1 });
  await runAndKill(name);
  let emails = 1;

  const sendEmail = async (): Promise<void> => void (emails += 1);
  const second = new Worker(name, sendEmail, { connection, stalledInterval });
  while (!seen.includes('completed')) await delay(20);
  await second.close();
  await events.close();
  const job = await queue.getJob('order-4711');
  console.log(`order-4711: ${seen.join(', ')}`);
  const { attemptsStarted, stalledCounter } = job!;
  const counts = `attempts ${job!.opts.attempts}, attemptsStarted ${attemptsStarted}, stalledCounter ${stalledCounter}`;
  console.log(`${emails} emails for one job id: ${counts}`);
  const emailsOfFirst = emails;

  await queue.add('email', {}, { jobId: 'order-4712' });
  await runAndKill(name);
  emails = 1;
  const strict = new Worker(name, sendEmail, { connection, stalledInterval, maxStalledCount: 0 });
  while ((await queue.getFailedCount()) === 0) await delay(20);
  await strict.close();
  const reason = (await queue.getJob('order-4712'))?.failedReason;
  console.log(`with maxStalledCount 0: failed after ${emails} email, because: ${reason}`);

  await queue.obliterate({ force: true });
  await queue.close();

  assert.deepEqual(seen, ['waiting', 'active', 'waiting', 'stalled', 'active', 'completed']);
  assert.deepEqual([emailsOfFirst, attemptsStarted, stalledCounter], [2, 2, 1]);
  assert.deepEqual([emails, reason], [1, 'job stalled more than allowable limit']);
}

if (process.argv[2] === undefined) void main();
else runDoomedWorker(process.argv[2]);
