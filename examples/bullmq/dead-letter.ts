/**
 * Dead letters: the failed set, and a separate queue for jobs that failed for good.
 *
 * BullMQ has no dead-letter queue. It has the failed set of each queue. A job that has used up its attempts moves
 * there, so that it does not block other jobs. It keeps the reason and the stack of every attempt, and can be retried.
 * To give failed jobs to another team, move them to a separate queue by hand, as below. But an event is not guaranteed:
 * a worker that dies between the failure and the copy leaves the job in the failed set only. So treat the failed set as
 * the source of truth, and do not remove failed jobs at once.
 *
 * Shows: deadLetter
 * Expect:
 *   "ada" is completed: the failed job before it did not block the queue
 *   in the failed set: "nobody", after 2 attempts, because: no such mailbox
 *   in the dead-letter queue: "nobody", because: no such mailbox
 *   retried by hand: "nobody" is completed, the failed set is empty
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';

const connection = { url: process.env.REDIS_URL || 'redis://localhost:6379' };
const name = `example-dead-letter-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const queue = new Queue<{ to: string }>(name, { connection, defaultJobOptions: { attempts: 2 } });
  const dead = new Queue<{ to: string; reason: string }>(`${name}-dead`, { connection });
  await queue.add('email', { to: 'nobody' });
  await queue.add('email', { to: 'ada' });

  let mailboxes = ['ada'];
  const worker = new Worker<{ to: string }>(
    name,
    async (job) => {
      if (!mailboxes.includes(job.data.to)) throw new Error('no such mailbox');
    },
    { connection },
  );
  worker.on('failed', (job, error) => {
    // Emitted for every attempt; `finishedOn` is set only after the last one. The copy's job id prevents a second copy.
    if (!job?.finishedOn) return;
    void dead.add(job.name, { to: job.data.to, reason: error.message }, { jobId: `dead-${job.id}` });
  });
  while ((await dead.count()) + (await queue.getCompletedCount()) < 2) await delay(20);
  console.log(`"ada" is completed: the failed job before it did not block the queue`);

  const [failed] = await queue.getFailed();
  const { attemptsMade, failedReason } = failed!;
  console.log(`in the failed set: "${failed!.data.to}", after ${attemptsMade} attempts, because: ${failedReason}`);
  const [copy] = await dead.getWaiting();
  console.log(`in the dead-letter queue: "${copy?.data.to}", because: ${copy?.data.reason}`);

  // The cause is fixed. Without this option, a retried job has one attempt left; with it, all of them.
  mailboxes = ['ada', 'nobody'];
  await failed!.retry('failed', { resetAttemptsMade: true });
  while ((await queue.getCompletedCount()) < 2) await delay(20);
  const leftFailed = await queue.getFailedCount();
  console.log(`retried by hand: "nobody" is completed, the failed set is ${leftFailed === 0 ? 'empty' : 'not empty'}`);

  await worker.close();
  await queue.obliterate({ force: true });
  await dead.obliterate({ force: true });
  await Promise.all([queue.close(), dead.close()]);

  assert.deepEqual([attemptsMade, failedReason], [2, 'no such mailbox']);
  assert.equal(copy?.data.reason, 'no such mailbox');
  assert.equal(leftFailed, 0);
}

void main();
