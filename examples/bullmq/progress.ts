/**
 * Progress: a running job reports how far it is, and any process can read it.
 *
 * Progress is a number or any JSON value, stored with the job; only the latest value is kept. To poll it, read it from
 * the job. To get it at once, listen with QueueEvents, from any process. A job's log is a list of lines that stays with
 * the job.
 *
 * Expect:
 *   progress: 25 %, reading
 *   progress: 75 %, drawing
 *   progress: 100 %, done
 *   read later: 100 %, done
 *   its log: 2 lines
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue, QueueEvents, Worker } from 'bullmq';

interface Progress {
  percent: number;
  note: string;
}

const connection = { url: process.env.REDIS_URL || 'redis://localhost:6379' };
const name = `example-progress-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const queue = new Queue(name, { connection });
  const events = new QueueEvents(name, { connection, lastEventId: '0' }); // '0': from the first event of the queue.
  const heard: number[] = [];
  events.on('progress', ({ data }) => {
    const { percent, note } = data as Progress;
    heard.push(percent);
    console.log(`progress: ${percent} %, ${note}`);
  });
  await events.waitUntilReady();

  const worker = new Worker(
    name,
    async (job) => {
      await job.updateProgress({ percent: 25, note: 'reading' });
      await job.log('42 rows read');
      await delay(50);
      await job.updateProgress({ percent: 75, note: 'drawing' });
      await job.log('1 page drawn');
      await delay(50);
      await job.updateProgress({ percent: 100, note: 'done' });
    },
    { connection },
  );
  const added = await queue.add('report', {});
  await added.waitUntilFinished(events);

  const job = await queue.getJob(added.id!);
  const last = job?.progress as Progress;
  console.log(`read later: ${last.percent} %, ${last.note}`);
  const { count } = await queue.getJobLogs(added.id!);
  console.log(`its log: ${count} lines`);

  await worker.close();
  await events.close();
  await queue.obliterate({ force: true });
  await queue.close();

  assert.deepEqual(heard, [25, 75, 100]);
  assert.deepEqual([last.percent, count], [100, 2]);
}

void main();
