import { createPostgresBackend, Queue, withBackend, Worker } from 'bullmq';
import { Pool } from 'pg';
import { brokerSettingNames, connectBullmq, type BrokerSettings } from '@app/messaging';
import { readSettings } from '@app/configuration';

/** BullMQ by itself and a pool, as everybody begins with them. */
export function connectPlain(settings: BrokerSettings = readSettings(brokerSettingNames)) {
  const { DATABASE_URL, REDIS_URL, BULLMQ_PREFIX, LEASE_MS } = settings;
  const connection = connectBullmq(
    { databaseUrl: DATABASE_URL, redisUrl: REDIS_URL, prefix: BULLMQ_PREFIX, leaseMs: LEASE_MS },
    'plain',
    1,
  );
  const onRedis = connection.backend === 'redis';
  return {
    pool: new Pool({ connectionString: DATABASE_URL, max: 2 }),
    queues: { connection: connection.forQueues, prefix: BULLMQ_PREFIX },
    /** A dead worker's messages are found as soon as ours are. */
    workers: {
      connection: connection.forWorkers,
      prefix: BULLMQ_PREFIX,
      lockDuration: LEASE_MS,
      stalledInterval: 1_000,
    },
    QueueClass: onRedis ? Queue : (withBackend(createPostgresBackend).Queue as typeof Queue),
    WorkerClass: onRedis ? Worker : (withBackend(createPostgresBackend).Worker as typeof Worker),
    close: () => connection.close(),
  };
}

/** The queue and the rows of one cell of the table. */
export const cell = process.env['CELL']!;
