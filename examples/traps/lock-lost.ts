/**
 * Trap: a long CPU-bound BullMQ job blocks the event loop, loses its lock, and runs a second time.
 *
 * While a job runs, its worker renews the job's lock with a timer. A synchronous computation lets no timer run. When
 * `lockDuration` (default 30 s, here 2 s) is over, another worker takes the job as stalled and runs it again, while the
 * first still computes. The first one then cannot complete the job: its lock is gone.
 * The cure: give the event loop a turn between slices of the work, so that the timer runs. A sandboxed processor (a
 * file name instead of a function) or a worker thread is the cure for work that cannot be sliced. A longer lock only
 * moves the limit, and makes the recovery from a real crash as slow.
 *
 * Needs: redis
 * Expect:
 *   wrong: the job was started 2 times
 *   wrong: the first worker reports: Missing lock for job …
 *   right: the job was started 1 time, although it ran for longer than its lock
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { isMainThread, parentPort, Worker as Thread, workerData } from 'node:worker_threads';
import { Queue, QueueEvents, Worker } from 'bullmq';

const connection = { url: process.env.REDIS_URL || 'redis://localhost:6379' };
const lockDuration = 2_000;
const workMs = 3_500;

/** The first worker, in a thread: it has an event loop of its own, as a second process would. */
async function runFirstWorker(name: string, sliced: boolean): Promise<void> {
  const worker = new Worker(name, sliced ? inSlices : atOnce, { connection, lockDuration, stalledInterval: 300 });
  worker.on('error', (error) => parentPort!.postMessage({ error: error.message }));
  worker.on('failed', (_, error) => parentPort!.postMessage({ error: error.message }));
  await worker.waitUntilReady();
  parentPort!.postMessage({ ready: true });
}

/** Wrong: no timer runs for three and a half seconds. */
async function atOnce(): Promise<void> {
  parentPort!.postMessage({ started: true });
  compute(workMs);
}

/** Right: timers run between two slices. */
async function inSlices(): Promise<void> {
  parentPort!.postMessage({ started: true });
  for (let spentMs = 0; spentMs < workMs; spentMs += 20) {
    compute(20);
    await turn();
  }
}

function compute(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until;) Math.sqrt(until);
}

async function run(sliced: boolean): Promise<{ starts: number; errors: string[] }> {
  const name = `example-lock-lost-${randomUUID()}`;
  const queue = new Queue(name, { connection });
  const events = new QueueEvents(name, { connection, lastEventId: '0' }); // '0': from the first event of the queue.
  let starts = 0;
  const errors: string[] = [];
  const first = new Thread(__filename, { workerData: { name, sliced } });
  first.on('message', (message: { started?: true; error?: string }) => {
    if (message.started) starts += 1;
    if (message.error !== undefined) errors.push(message.error);
  });
  await once(first, 'message'); // It is ready.
  await events.waitUntilReady();
  const job = await queue.add('report', {});
  while (starts === 0) await once(first, 'message');

  // The second worker looks for stalled jobs and would take this one.
  const second = new Worker(name, async () => void (starts += 1), { connection, lockDuration, stalledInterval: 300 });
  await job.waitUntilFinished(events);
  if (!sliced) while (errors.length === 0) await once(first, 'message');

  await second.close();
  await first.terminate();
  await events.close();
  await queue.obliterate({ force: true });
  await queue.close();
  return { starts, errors };
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 30_000).unref();

  const wrong = await run(false);
  console.log(`wrong: the job was started ${wrong.starts} times`);
  console.log(`wrong: the first worker reports: ${wrong.errors[0]}`);
  const right = await run(true);
  console.log(`right: the job was started ${right.starts} time, although it ran for longer than its lock`);

  assert.equal(wrong.starts, 2);
  assert.match(wrong.errors[0]!, /Missing lock/);
  assert.deepEqual(right, { starts: 1, errors: [] });
}

if (isMainThread) void main();
else {
  const { name, sliced } = workerData as { name: string; sliced: boolean };
  void runFirstWorker(name, sliced);
}
