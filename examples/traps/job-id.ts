/**
 * Trap: a BullMQ job id taken for an idempotency key.
 *
 * BullMQ ignores an `add` with the id of a job that exists, whatever its state. So the id protects too little and too
 * much. Too little: with `removeOnComplete` the job is gone after its success, and the same id runs again. Too much: a
 * failed job still exists, so `add` returns without an error and nothing runs.
 * The cure: the key is a row with a unique index beside the effect, in the same transaction. It lives as long as the
 * effect, not as long as the job. A failed job is retried with `job.retry()`, not added again.
 *
 * Needs: postgres, redis
 * Expect:
 *   wrong: the same job id twice, 2 emails
 *   wrong: a failed job added again: no error, still failed
 *   right: two jobs with one key, 1 email
 *   right: the failed job retried: completed
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Queue, Worker, type Job } from 'bullmq';
import { Pool } from 'pg';

const connection = { url: process.env.REDIS_URL || 'redis://localhost:6379' };
const pool = new Pool({ connectionString: process.env.DATABASE_URL });
const name = `example-job-id-${randomUUID()}`;
const table = `example_${randomUUID().replaceAll('-', '')}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const queue = new Queue<{ order: string }>(name, { connection, defaultJobOptions: { removeOnComplete: true } });
  await pool.query(`CREATE TABLE ${table} ("key" text PRIMARY KEY)`);

  let emails = 0;
  let mailServerIsUp = true;
  async function sendOnce(order: string): Promise<void> {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      // A concurrent transaction with the same key waits here, and then inserts no row.
      const { rowCount } = await client.query(`INSERT INTO ${table} VALUES ($1) ON CONFLICT DO NOTHING`, [order]);
      if (rowCount === 1) emails += 1; // Stands for an INSERT into the table of what was sent.
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release();
    }
  }
  const worker = new Worker<{ order: string }>(
    name,
    async (job: Job<{ order: string }>) => {
      if (!mailServerIsUp) throw new Error('the mail server is down');
      if (job.name === 'keyed') await sendOnce(job.data.order);
      else emails += 1;
    },
    { connection },
  );

  // Wrong: the first job has completed and was removed, so its id is free again. (`job.waitUntilFinished` rejects when
  // the job was removed before it asks, so this waits for the worker's event.)
  for (let request = 1; request <= 2; request += 1) {
    const completed = once(worker, 'completed');
    await queue.add('plain', { order: '4711' }, { jobId: 'order-4711' });
    await completed;
  }
  const twice = emails;
  console.log(`wrong: the same job id twice, ${twice} emails`);

  // Wrong: the first job has failed and still exists, so the second `add` does nothing.
  mailServerIsUp = false;
  const failed = once(worker, 'failed');
  const failing = await queue.add('plain', { order: '4712' }, { jobId: 'order-4712' });
  await failed;
  mailServerIsUp = true;
  const ignored = await queue.add('plain', { order: '4712' }, { jobId: 'order-4712' });
  const stateAfterAdd = await ignored.getState();
  console.log(`wrong: a failed job added again: no error, still ${stateAfterAdd}`);

  // Right: the key is in the table of the effect.
  const before = emails;
  for (let request = 1; request <= 2; request += 1) {
    const completed = once(worker, 'completed');
    await queue.add('keyed', { order: '4713' });
    await completed;
  }
  const withOneKey = emails - before;
  console.log(`right: two jobs with one key, ${withOneKey} email`);

  // Right: a failed job is retried as what it is.
  const retried = once(worker, 'completed');
  await failing.retry('failed', { resetAttemptsMade: true });
  await retried;
  console.log('right: the failed job retried: completed');

  await worker.close();
  await queue.obliterate({ force: true });
  await queue.close();
  await pool.query(`DROP TABLE ${table}`);
  await pool.end();

  assert.equal(twice, 2);
  assert.equal(stateAfterAdd, 'failed');
  assert.equal(withOneKey, 1);
  assert.equal(emails, 4); // Two of order 4711, one of 4713, one of the retried 4712.
}

void main();
