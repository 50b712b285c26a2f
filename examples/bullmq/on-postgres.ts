/**
 * BullMQ on PostgreSQL: the same classes, and a job is a row.
 *
 * `withBackend(createPostgresBackend)` returns a Queue and a Worker that use PostgreSQL; without it they use Redis. Their
 * tables are in the schema `bullmq`. A connection does not create them: `runMigrations` does, and takes one client.
 * The primary key of a job is its queue and its id, so a second job with the same id is not stored.
 * A trap: `add` uses a connection of its own, so it is not part of your transaction. After your ROLLBACK the job exists.
 *
 * Needs: postgres
 * Expect:
 *   the schema "bullmq" is at version …
 *   the same job id twice: 1 row, its state is waiting
 *   completed: "sent to ada@example.com"
 *   after ROLLBACK: 0 orders, 1 job
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createPostgresBackend, runMigrations, withBackend, type Job } from 'bullmq';
import { Client } from 'pg';

const { Queue, Worker } = withBackend(createPostgresBackend);
const connection = process.env.DATABASE_URL!;
const name = `example-on-postgres-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const client = new Client({ connectionString: connection });
  await client.connect();
  const version = await runMigrations(client); // In a deployment step, not at every start of a process.
  console.log(`the schema "bullmq" is at version ${version}`);

  const queue = new Queue<{ to: string }>(name, { connection });
  await queue.add('email', { to: 'ada@example.com' }, { jobId: 'order-4711' });
  await queue.add('email', { to: 'bob@example.com' }, { jobId: 'order-4711' });
  const { rows } = await client.query<{ state: string }>('SELECT state FROM bullmq.job WHERE queue = $1', [name]);
  console.log(`the same job id twice: ${rows.length} row, its state is ${rows[0]?.state}`);

  const worker = new Worker<{ to: string }, string>(name, async (job) => `sent to ${job.data.to}`, { connection });
  const [job] = (await once(worker, 'completed')) as [Job<unknown, string>];
  console.log(`completed: "${job.returnvalue}"`);
  await worker.close();

  await client.query('CREATE TEMPORARY TABLE example_order (id text)');
  await client.query('BEGIN');
  await client.query(`INSERT INTO example_order VALUES ('order-4712')`);
  await queue.add('email', { to: 'eve@example.com' }); // Commits at once, on another connection.
  await client.query('ROLLBACK');
  const orders = (await client.query('SELECT id FROM example_order')).rows.length;
  const jobs = await queue.getWaitingCount();
  console.log(`after ROLLBACK: ${orders} orders, ${jobs} job`);

  await queue.obliterate({ force: true });
  await queue.close();
  await client.end();

  assert.deepEqual(rows, [{ state: 'waiting' }]);
  assert.equal(job.returnvalue, 'sent to ada@example.com');
  assert.deepEqual([orders, jobs], [0, 1]);
}

void main();
