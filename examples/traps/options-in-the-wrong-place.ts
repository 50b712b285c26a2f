/**
 * Trap: BullMQ options in the place that older tutorials name are ignored without an error.
 *
 * In BullMQ 6.7 the limiter belongs to the worker (older texts: to the queue), `attempts` and `backoff` belong to the
 * options of the job (older texts: `settings` of the worker), and there is no QueueScheduler: delayed jobs need none.
 * TypeScript refuses the wrong options only where the object is written in place. JavaScript, a spread or a cast lets
 * them through, and BullMQ does not read them.
 *
 * Needs: redis
 * Expect:
 *   wrong: limiter of 1 job per second on the queue: 3 jobs in less than 1 s
 *   wrong: attempts on the worker: 1 attempt
 *   right: limiter on the worker: 3 jobs in more than 1 s
 *   right: attempts and backoff on the job: 3 attempts
 *   there is no QueueScheduler, and a delayed job runs
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import * as bullmq from 'bullmq';
import { Queue, QueueEvents, Worker, type JobsOptions, type QueueOptions, type WorkerOptions } from 'bullmq';

const connection = { url: process.env.REDIS_URL || 'redis://localhost:6379' };
const limiter = { max: 1, duration: 1_000 };
const retry = { attempts: 3, backoff: { type: 'fixed', delay: 10 } };

/** Runs the jobs and tells how long they took from the first start to the last, and how many attempts there were. */
async function run(
  queueOptions: Partial<QueueOptions>,
  workerOptions: Partial<WorkerOptions>,
  jobs: { name: 'fine' | 'fails'; opts?: JobsOptions }[],
): Promise<{ ms: number; attempts: number }> {
  const name = `example-wrong-place-${randomUUID()}`;
  const queue = new Queue(name, { connection, ...queueOptions });
  const events = new QueueEvents(name, { connection, lastEventId: '0' }); // '0': from the first event of the queue.
  await events.waitUntilReady();
  const starts: number[] = [];
  const worker = new Worker(
    name,
    async (job) => {
      starts.push(performance.now());
      if (job.name === 'fails') throw new Error('no such mailbox');
    },
    { connection, ...workerOptions },
  );
  await worker.waitUntilReady();
  const added = await queue.addBulk(jobs.map((job) => ({ ...job, data: {} })));
  await Promise.allSettled(added.map((job) => job.waitUntilFinished(events)));
  await worker.close();
  await events.close();
  await queue.obliterate({ force: true });
  await queue.close();
  return { ms: starts.at(-1)! - starts[0]!, attempts: starts.length };
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();
  const three = [{ name: 'fine' }, { name: 'fine' }, { name: 'fine' }] as const;

  const onQueue = await run({ limiter } as Partial<QueueOptions>, {}, [...three]);
  console.log(
    `wrong: limiter of 1 job per second on the queue: 3 jobs in ${onQueue.ms < 1_000 ? 'less' : 'more'} than 1 s`,
  );
  const onWorker = await run({}, { settings: retry, ...retry } as Partial<WorkerOptions>, [{ name: 'fails' }]);
  console.log(`wrong: attempts on the worker: ${onWorker.attempts} attempt`);

  const limited = await run({}, { limiter }, [...three]);
  console.log(`right: limiter on the worker: 3 jobs in ${limited.ms < 1_000 ? 'less' : 'more'} than 1 s`);
  const retried = await run({}, {}, [{ name: 'fails', opts: retry }]);
  console.log(`right: attempts and backoff on the job: ${retried.attempts} attempts`);

  const delayed = await run({}, {}, [{ name: 'fine', opts: { delay: 100 } }]);
  const scheduler = 'QueueScheduler' in bullmq ? 'a' : 'no';
  console.log(
    `there is ${scheduler} QueueScheduler, and a delayed job ${delayed.attempts === 1 ? 'runs' : 'does not run'}`,
  );

  assert.ok(onQueue.ms < 1_000);
  assert.equal(onWorker.attempts, 1);
  assert.ok(limited.ms > 1_500);
  assert.equal(retried.attempts, 3);
  assert.deepEqual([scheduler, delayed.attempts], ['no', 1]);
}

void main();
