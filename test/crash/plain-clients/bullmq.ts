import { createPostgresBackend, Queue, withBackend, Worker, type ConnectionOptions, type Job } from 'bullmq';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import type { BrokerSettings } from '@app/messaging';
import type { PlainClient } from './plain-client';

/** The connection that BullMQ expects for an address. */
function connect({ DATABASE_URL, REDIS_URL }: BrokerSettings): { connection: ConnectionOptions; end: () => unknown } {
  if (REDIS_URL !== undefined) {
    const redis = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
    return { connection: redis, end: () => redis.disconnect() };
  }
  const pool = new Pool({ connectionString: DATABASE_URL, options: '-c search_path=bullmq', max: 4 });
  return { connection: pool, end: () => pool.end() };
}

export function plainBullmq(settings: BrokerSettings): PlainClient {
  const { BULLMQ_PREFIX, LEASE_MS } = settings;
  const { connection, end } = connect(settings);
  const onRedis = settings.REDIS_URL !== undefined;
  const QueueClass = onRedis ? Queue : (withBackend(createPostgresBackend).Queue as typeof Queue);
  const WorkerClass = onRedis ? Worker : (withBackend(createPostgresBackend).Worker as typeof Worker);
  const queues = new Map<string, Queue>();

  async function queueOf(name: string): Promise<Queue> {
    const queue = queues.get(name) ?? new QueueClass(name, { connection, prefix: BULLMQ_PREFIX });
    queues.set(name, queue);
    await queue.waitUntilReady();
    return queue;
  }

  return {
    publish: async (queue, orders) => {
      await (await queueOf(queue)).addBulk(orders.map((n) => ({ name: 'email', data: { n } })));
    },

    consume: async (queue, acknowledged, work) => {
      const workOn = ({ id, data: { n } }: Job<{ n: number }>) => work({ n, id: id! });
      // A processor that returns at once acknowledges: BullMQ then completes the job.
      const processor = acknowledged === 'after work' ? workOn : () => Promise.resolve();
      /** The work on completed jobs, one after another. */
      let afterwards: Promise<void> = Promise.resolve();
      const worker = new WorkerClass(queue, processor, {
        connection,
        prefix: BULLMQ_PREFIX,
        concurrency: 1,
        // Messages of a dead worker are found as soon as with our driver.
        lockDuration: LEASE_MS,
        stalledInterval: 1_000,
      });
      worker.on('error', () => undefined);
      // Not in the processor: the process could die before BullMQ has written that the job is completed.
      if (acknowledged === 'on receipt') {
        worker.on('completed', (job) => {
          afterwards = afterwards.then(() => workOn(job));
        });
      }
      await worker.waitUntilReady();
      return { stop: () => worker.close().then(() => afterwards) };
    },

    outstanding: async (queue) => {
      const counts = await (await queueOf(queue)).getJobCounts('wait', 'prioritized', 'active', 'delayed');
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    },

    remove: async (queue) => {
      await (await queueOf(queue)).obliterate({ force: true });
    },

    close: async () => {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      await end();
    },
  };
}
