/**
 * A sandboxed worker: the processor is a file, and BullMQ runs it in a process of its own.
 *
 * A worker has one thread. A processor that computes for a long time blocks this thread: the worker renews no lock, and
 * its jobs stall. A processor in a file runs in a child process (with `useWorkerThreads`: in a worker thread). The
 * thread of the worker stays free, and a crash ends only the child and fails only its job.
 * BullMQ starts at most `concurrency` children and reuses them. A child gets a copy of the job, not the worker's objects.
 * This file is both: the example, and the file with the processor.
 *
 * Expect:
 *   as a function: the worker's timer ran 0 times during the job
 *   as a file: the worker's timer ran … times during the job, which ran in another process
 *   the child process ended: the job failed, because: Unexpected exit code: 1 signal: null
 *   the next job has completed
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Queue, QueueEvents, Worker } from 'bullmq';

const connection = { url: process.env.REDIS_URL || 'redis://localhost:6379' };

interface Run {
  readonly pid: number;
  readonly from: number;
  readonly to: number;
}

/** The processor. In a sandbox BullMQ imports the file and calls its default export. */
export default async function compute({ data }: { data: { crash: boolean } }): Promise<Run> {
  if (data.crash) process.exit(1);
  const from = Date.now();
  while (Date.now() < from + 500); // As a large image or a large report: it computes and waits for nothing.
  return { pid: process.pid, from, to: Date.now() };
}

/** @returns the run, and how often a timer of this process ran meanwhile */
async function runOnce(processor: typeof compute | string): Promise<{ run: Run; ticks: number; afterCrash: string[] }> {
  const name = `example-sandboxed-worker-${randomUUID()}`;
  const queue = new Queue<{ crash: boolean }, Run>(name, { connection });
  const events = new QueueEvents(name, { connection, lastEventId: '0' }); // '0': from the first event of the queue.
  await events.waitUntilReady();
  const worker = new Worker(name, processor, { connection });
  const times: number[] = [];
  const timer = setInterval(() => times.push(Date.now()), 5);

  const job = await queue.add('image', { crash: false });
  const run = await job.waitUntilFinished(events);
  clearInterval(timer);

  const afterCrash: string[] = [];
  if (typeof processor === 'string') {
    const crashing = await queue.add('image', { crash: true });
    afterCrash.push(
      (await crashing.waitUntilFinished(events).catch((error: unknown) => (error as Error).message)) as string,
    );
    const next = await queue.add('image', { crash: false });
    await next.waitUntilFinished(events);
    afterCrash.push(await next.getState());
  }

  await worker.close();
  await events.close();
  await queue.obliterate({ force: true });
  await queue.close();
  return { run, ticks: times.filter((time) => time > run.from && time < run.to).length, afterCrash };
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const asFunction = await runOnce(compute);
  console.log(`as a function: the worker's timer ran ${asFunction.ticks} times during the job`);
  const asFile = await runOnce(__filename);
  const where = asFile.run.pid === process.pid ? 'this process' : 'another process';
  console.log(`as a file: the worker's timer ran ${asFile.ticks} times during the job, which ran in ${where}`);
  const [reason, state] = asFile.afterCrash;
  console.log(`the child process ended: the job failed, because: ${reason}`);
  console.log(`the next job has ${state}`);

  assert.deepEqual([asFunction.ticks, asFunction.run.pid], [0, process.pid]);
  assert.ok(asFile.ticks > 0 && where === 'another process', 'The sandbox ran in the thread of the worker.');
  assert.deepEqual([reason, state], ['Unexpected exit code: 1 signal: null', 'completed']);
}

// In a sandbox this file is imported, not run.
if (require.main === module) void main();
