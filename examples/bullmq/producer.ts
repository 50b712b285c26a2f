/**
 * The producer: add jobs one by one or in bulk, and filter duplicates.
 *
 * `add` resolves when Redis has the job, not when the job is done. The job is as safe as Redis: by default, with
 * snapshots only, a crash can lose minutes; with `appendonly yes`, about the last second.
 * A job id rejects a second job only while the first one still exists: after `removeOnComplete` the same id is accepted
 * again. This filters duplicates; it does not guarantee exactly once.
 *
 * Expect:
 *   add: job 1 is waiting
 *   addBulk: 2 jobs in one round trip
 *   the same job id twice: one job, with the data of the first
 *   the same job id after a removal: accepted again
 *   the same deduplication id twice: one job
 *   a number as job id is rejected
 *   5 jobs in the queue
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';

const connection = {
  url: process.env.REDIS_URL || 'redis://localhost:6379',
  // Otherwise `add` would wait without a limit while Redis is away, and so would the caller of an API.
  enableOfflineQueue: false,
};
const name = `example-producer-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const queue = new Queue<{ to: string }>(name, { connection });
  await queue.waitUntilReady();

  const job = await queue.add('email', { to: 'ada@example.com' });
  console.log(`add: job ${job.id} is ${await job.getState()}`);

  const bulk = await queue.addBulk([
    { name: 'email', data: { to: 'bob@example.com' } },
    { name: 'email', data: { to: 'eve@example.com' } },
  ]);
  console.log(`addBulk: ${bulk.length} jobs in one round trip`);

  const before = await queue.count();
  await queue.add('email', { to: 'ada@example.com' }, { jobId: 'order-4711' });
  await queue.add('email', { to: 'bob@example.com' }, { jobId: 'order-4711' });
  const byJobId = (await queue.count()) - before;
  const stored = await queue.getJob('order-4711');
  const whose = stored?.data.to === 'ada@example.com' ? 'first' : 'second';
  console.log(`the same job id twice: ${byJobId === 1 ? 'one job' : 'two jobs'}, with the data of the ${whose}`);

  await queue.remove('order-4711'); // So does `removeOnComplete: true`, when the job has completed.
  await queue.add('email', { to: 'bob@example.com' }, { jobId: 'order-4711' });
  const again = await queue.getJob('order-4711');
  console.log(`the same job id after a removal: ${again ? 'accepted again' : 'not accepted'}`);

  // Deduplication has its own id. It lasts for `ttl`, or, without one, until the job has finished.
  const first = await queue.add('digest', { to: 'ada@example.com' }, { deduplication: { id: 'digest', ttl: 5_000 } });
  const second = await queue.add('digest', { to: 'ada@example.com' }, { deduplication: { id: 'digest', ttl: 5_000 } });
  console.log(`the same deduplication id twice: ${first.id === second.id ? 'one job' : 'two jobs'}`);

  let refusal = '';
  try {
    await queue.add('email', { to: 'ada@example.com' }, { jobId: '4711' });
  } catch (error) {
    refusal = (error as Error).message;
  }
  console.log(`a number as job id is rejected: ${refusal}`);

  const waiting = await queue.count();
  console.log(`${waiting} jobs in the queue`);
  await queue.obliterate();
  await queue.close();

  assert.deepEqual([byJobId, whose, again?.data.to], [1, 'first', 'bob@example.com']);
  assert.equal(first.id, second.id);
  assert.match(refusal, /Custom Id/);
  assert.equal(waiting, 5);
}

void main();
