import { createPostgresBackend, Queue, withBackend, Worker, type Job } from 'bullmq';
import { connectBullmq, type BrokerSettings } from '@app/messaging';
import type { PlainClient } from './plain-client';

export function plainBullmq(settings: BrokerSettings): PlainClient {
  const { DATABASE_URL, REDIS_URL, BULLMQ_PREFIX, LEASE_MS } = settings;
  const bullmq = { databaseUrl: DATABASE_URL, redisUrl: REDIS_URL, prefix: BULLMQ_PREFIX, leaseMs: LEASE_MS };
  const connection = connectBullmq(bullmq, 'plain', 1);
  const onRedis = connection.backend === 'redis';
  const QueueClass = onRedis ? Queue : (withBackend(createPostgresBackend).Queue as typeof Queue);
  const WorkerClass = onRedis ? Worker : (withBackend(createPostgresBackend).Worker as typeof Worker);
  const queues = new Map<string, Queue>();

  async function queueOf(name: string): Promise<Queue> {
    const queue = queues.get(name) ?? new QueueClass(name, { connection: connection.forQueues, prefix: BULLMQ_PREFIX });
    queues.set(name, queue);
    await queue.waitUntilReady();
    return queue;
  }

  return {
    publish: async (queue, orders) => {
      await (await queueOf(queue)).addBulk(orders.map((n) => ({ name: 'email', data: { n } })));
    },

    consume: async (queue, acknowledged, work) => {
      /** What was begun after its acknowledgement. For BullMQ a job is done when the processor returns. */
      let afterwards: Promise<void> = Promise.resolve();
      const processor = ({ id, data: { n } }: Job<{ n: number }>): Promise<void> => {
        if (acknowledged === 'after work') return work({ n, id: id! });
        afterwards = afterwards.then(() => work({ n, id: id! }));
        return Promise.resolve();
      };
      const worker = new WorkerClass(queue, processor, {
        connection: connection.forWorkers,
        prefix: BULLMQ_PREFIX,
        concurrency: 1,
        // A dead worker's messages are found as soon as ours are.
        lockDuration: LEASE_MS,
        stalledInterval: 1_000,
      });
      worker.on('error', () => undefined);
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
      await connection.close();
    },
  };
}
