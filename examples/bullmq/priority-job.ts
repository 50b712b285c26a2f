/**
 * Priority: urgent jobs run before the other waiting jobs.
 *
 * 1 is the most urgent priority, 2,097,151 the least. A trap: a job without a priority (0) runs before all jobs that
 * have one, on Redis and on PostgreSQL. So when one job of a queue has a priority, give one to every job.
 * Priority orders waiting jobs. It does not stop a running job, and it can starve jobs of low priority.
 *
 * Shows: priority
 * Expect:
 *   added: newsletter (10), receipt (5), password reset (1), invoice (none)
 *   processed: invoice, password reset, receipt, newsletter
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';

const connection = { url: process.env.REDIS_URL || 'redis://localhost:6379' };
const name = `example-priority-job-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const queue = new Queue(name, { connection });
  await queue.add('newsletter', {}, { priority: 10 });
  await queue.add('receipt', {}, { priority: 5 });
  await queue.add('password reset', {}, { priority: 1 });
  await queue.add('invoice', {});
  console.log('added: newsletter (10), receipt (5), password reset (1), invoice (none)');

  const processed: string[] = [];
  const worker = new Worker(name, async (job) => void processed.push(job.name), { connection });
  while (processed.length < 4) await delay(20);
  console.log(`processed: ${processed.join(', ')}`);

  await worker.close();
  await queue.obliterate({ force: true });
  await queue.close();

  assert.deepEqual(processed, ['invoice', 'password reset', 'receipt', 'newsletter']);
}

void main();
