import { createPostgresBackend, Queue, withBackend, Worker, type ConnectionOptions, type Job } from 'bullmq';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { benchQueue } from '../drain/bench-queue';
import { batches, type BenchBroker } from './bench-broker';

/** The settings of our driver: the lock is as long as a lease, and few finished jobs are kept. */
const lockDuration = 15_000;
const kept = { count: 200, age: 3_600 };
const options = { priority: 2, attempts: 1, removeOnComplete: kept, removeOnFail: kept };

/** BullMQ without the library, on Redis or on PostgreSQL: `addBulk`, and its own worker. */
export function connectBullmq(environment: NodeJS.ProcessEnv): BenchBroker {
  const prefix = environment['BULLMQ_PREFIX']!;
  const { connection, isRedis, end } = connectBackend(environment);
  const onPostgres = withBackend(createPostgresBackend);
  const QueueClass = isRedis ? Queue : (onPostgres.Queue as typeof Queue);
  const WorkerClass = isRedis ? Worker : (onPostgres.Worker as typeof Worker);
  let opened: Queue | undefined;
  const queue = (): Queue => (opened ??= new QueueClass(benchQueue, { connection, prefix }));
  return {
    publish: async (messages) => {
      for (const batch of batches(messages)) {
        await queue().addBulk(
          batch.map(({ id, body }) => ({ name: 'bench.empty', data: body, opts: { ...options, jobId: id } })),
        );
      }
    },

    consume: async (concurrency, take) => {
      const worker = new WorkerClass(benchQueue, (job: Job) => take([job.data]), {
        autorun: false,
        connection,
        prefix,
        concurrency,
        lockDuration,
        stalledInterval: 1_000,
      });
      worker.on('error', () => undefined); // The worker retries.
      await worker.waitUntilReady();
      return { start: () => void worker.run(), stop: () => worker.close() };
    },

    depth: async () => {
      const counts = await queue().getJobCounts('wait', 'prioritized', 'active', 'delayed');
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    },

    failed: () => queue().getFailedCount(),

    cleanUp: () => queue().obliterate(),

    close: async () => {
      await opened?.close();
      await end();
    },
  };
}

/** On PostgreSQL with the settings of the driver: commits do not wait for the disk. */
function connectBackend({ REDIS_URL, DATABASE_URL }: NodeJS.ProcessEnv) {
  if (REDIS_URL) {
    const redis = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
    const end = (): void => redis.disconnect();
    return { connection: redis, isRedis: true, end };
  }
  const address = new URL(DATABASE_URL!);
  address.searchParams.set('options', '-c search_path=bullmq -c synchronous_commit=off');
  const pool = new Pool({ connectionString: address.href, max: 4, keepAlive: true });
  pool.setMaxListeners(0);
  // BullMQ accepts a pool where its types want a Redis connection.
  return { connection: pool as unknown as ConnectionOptions, isRedis: false, end: () => pool.end() };
}
