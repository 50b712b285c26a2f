/**
 * The worker: a job goes from waiting to active to completed or failed.
 *
 * The processor's return value is the job's result; the error that it throws is the reason of the failure. A worker's
 * own events are about its own jobs; QueueEvents reports the jobs of all workers, from Redis.
 * While a job runs, its worker renews a lock. When a worker dies, the lock expires and the job is "stalled": BullMQ
 * gives it to another worker. So a processor may run twice for one job.
 *
 * Expect:
 *   added: waiting
 *   in the processor: active
 *   result: "sent to ada@example.com", state completed
 *   failure: "no such mailbox", state failed
 *   closed: the job that was running has completed
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue, QueueEvents, Worker } from 'bullmq';

const connection = { url: process.env.REDIS_URL || 'redis://localhost:6379' };
const name = `example-worker-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const queue = new Queue<{ to: string }, string>(name, { connection });
  const events = new QueueEvents(name, { connection, lastEventId: '0' }); // '0': from the first event of the queue.
  await events.waitUntilReady();

  const job = await queue.add('email', { to: 'ada@example.com' });
  console.log(`added: ${await job.getState()}`);

  const worker = new Worker<{ to: string }, string>(
    name,
    async (running) => {
      if (running.data.to === 'nobody') throw new Error('no such mailbox');
      if (running.id === job.id) console.log(`in the processor: ${await running.getState()}`);
      await delay(200);
      return `sent to ${running.data.to}`;
    },
    { connection },
  );
  worker.on('error', (error) => console.error(`worker: ${error.message}`));

  const result = await job.waitUntilFinished(events);
  const completed = await job.getState();
  console.log(`result: "${result}", state ${completed}`);

  const bad = await queue.add('email', { to: 'nobody' });
  const reason = await bad.waitUntilFinished(events).catch((error: unknown) => (error as Error).message);
  const failed = await bad.getState();
  console.log(`failure: "${reason}", state ${failed}`);

  // close() takes no more jobs and waits for the running ones: call it on SIGTERM.
  const active = once(worker, 'active');
  const last = await queue.add('email', { to: 'eve@example.com' });
  await active;
  await worker.close();
  const afterClose = await last.getState();
  console.log(`closed: the job that was running has ${afterClose}`);

  await events.close();
  await queue.obliterate({ force: true });
  await queue.close();

  assert.equal(result, 'sent to ada@example.com');
  assert.equal(reason, 'no such mailbox');
  assert.deepEqual([completed, failed, afterClose], ['completed', 'failed', 'completed']);
}

void main();
