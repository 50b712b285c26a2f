import { runMigrations, type ConnectionOptions } from 'bullmq';
import { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { breakWhenSilent, createPool } from '@app/ledger';

export interface BullmqSettings {
  /** With a URL BullMQ runs on Redis, without one on PostgreSQL. */
  readonly redisUrl: string | undefined;
  readonly databaseUrl: string;
  /** Separates two systems on one Redis. On PostgreSQL each system has its own database. */
  readonly prefix: string;
  /**
   * Milliseconds without a lock renewal after which BullMQ gives a worker's messages to another. The same as the
   * ledger's lease.
   */
  readonly leaseMs: number;
}

/** The connections of one process to BullMQ's backend. */
export interface BullmqConnection {
  readonly backend: 'redis' | 'postgres';
  /** For adding and reading. */
  readonly forQueues: ConnectionOptions;
  /** For taking jobs; waits until the backend is back. */
  readonly forWorkers: ConnectionOptions;
  /**
   * Must be called before each command: a queue that has never reached its backend would wait for it without a limit.
   * @throws Error when Redis is away. On PostgreSQL it never throws: the pool's time-out applies
   */
  assertUp(): void;
  close(): Promise<void>;
}

/**
 * Connects a process to BullMQ's backend; does not wait for it.
 * @param application the name of the connections, for operators
 * @param workers how many workers the process runs; each uses a connection to PostgreSQL for LISTEN
 */
export function connectBullmq(settings: BullmqSettings, application: string, workers: number): BullmqConnection {
  return settings.redisUrl === undefined
    ? connectPostgres(settings.databaseUrl, application, workers)
    : connectRedis(settings.redisUrl, application);
}

/**
 * BullMQ keeps the failure of its first connection and returns it to every later call. Only a new process helps: this
 * one ends with an uncaught error, and its supervisor starts it again.
 */
export function failForGood(error: unknown, isStopping: () => boolean): void {
  process.nextTick(() => {
    if (isStopping()) return;
    throw new Error('BullMQ could not be set up; this process has to start again.', { cause: error });
  });
}

/** Creates or updates the schema `bullmq`, in which BullMQ's PostgreSQL backend keeps its queues. */
export async function migrateBullmq(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await runMigrations(client);
  } finally {
    client.release();
  }
}

function connectRedis(url: string, application: string): BullmqConnection {
  const forQueues = new Redis(url, {
    connectionName: application,
    // A command while Redis is away fails at once and is not kept in memory: the outbox keeps the job.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: 4_000,
    retryStrategy: reconnectMs,
  });
  const forWorkers = new Redis(url, {
    connectionName: `${application} worker`,
    maxRetriesPerRequest: null,
    retryStrategy: reconnectMs,
  });
  // Both reconnect by themselves, and each caller gets the error of its own command.
  forQueues.on('error', () => undefined);
  forWorkers.on('error', () => undefined);
  return {
    backend: 'redis',
    forQueues,
    forWorkers,
    assertUp: () => {
      if (forQueues.status !== 'ready') throw new Error(`Redis is away (${forQueues.status}).`);
    },
    close: () => {
      forQueues.disconnect();
      forWorkers.disconnect();
      return Promise.resolve();
    },
  };
}

function reconnectMs(attempt: number): number {
  return Math.min(attempt * 100, 1_000);
}

/**
 * BullMQ keeps the failure of its first connection, so the first one must not fail because a process starts slowly on a
 * busy machine. The relay has its own deadline for a publish.
 */
const connectMs = 30_000;

export const bullmqSession = { search_path: 'bullmq', synchronous_commit: 'off' };

/**
 * One pool for all queues and workers. Each worker uses one of its connections for LISTEN; the others run queries.
 * BullMQ's tables are called `job` and `event`, like ours. They are in the schema `bullmq`, which is the search path of
 * these sessions. Their commits do not wait for the disk: the ledger restores what a crash takes from BullMQ.
 */
function connectPostgres(url: string, application: string, workers: number): BullmqConnection {
  const pool = createPool(
    url,
    { application_name: `${application} bullmq`, max: workers + 3, connectionTimeoutMillis: connectMs },
    bullmqSession,
  );
  // Workers wait for NOTIFY on a connection, and BullMQ's statements have no time-out.
  pool.on('connect', breakWhenSilent);
  pool.setMaxListeners(0);
  // BullMQ accepts a pool although its types ask for a Redis connection.
  const connection = pool as unknown as ConnectionOptions;
  return {
    backend: 'postgres',
    forQueues: connection,
    forWorkers: connection,
    assertUp: () => undefined, // The pool's time-out reports it.
    close: () => pool.end(),
  };
}
