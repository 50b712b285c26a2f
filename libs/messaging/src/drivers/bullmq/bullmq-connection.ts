import type { ConnectionOptions } from 'bullmq';
import { Redis } from 'ioredis';
import { breakWhenSilent, createPool } from '@app/ledger';

export interface BullmqSettings {
  /** With it BullMQ runs on Redis, without it on PostgreSQL. */
  readonly redisUrl: string | undefined;
  readonly databaseUrl: string;
  /** Keeps two systems on one Redis apart. On PostgreSQL each system has a database of its own. */
  readonly prefix: string;
  /** How long a worker may be silent before BullMQ gives its messages to another: as long as the ledger waits. */
  readonly leaseMs: number;
}

/** The connections of one process to BullMQ's backend. */
export interface BullmqConnection {
  readonly backend: 'redis' | 'postgres';
  /** For adding and looking. */
  readonly forQueues: ConnectionOptions;
  /** For taking: waits until the backend is back. */
  readonly forWorkers: ConnectionOptions;
  /**
   * To be asked before each command: a queue that has not seen its backend yet would wait for it without end.
   * @throws Error when the backend is away
   */
  assertUp(): void;
  close(): Promise<void>;
}

export function connectBullmq(settings: BullmqSettings, application: string, workers: number): BullmqConnection {
  return settings.redisUrl === undefined
    ? connectPostgres(settings.databaseUrl, application, workers)
    : connectRedis(settings.redisUrl, application);
}

function connectRedis(url: string, application: string): BullmqConnection {
  const forQueues = new Redis(url, {
    connectionName: application,
    // A command while Redis is away is an error now, not one more thing in memory: the outbox keeps the job.
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
  // Both reconnect by themselves; whoever uses them gets the error of his own command.
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
 * BullMQ keeps the failure of its first contact, so that it must not fail because a process is slow to start on a busy
 * machine. Whoever publishes has a deadline of his own.
 */
const connectMs = 30_000;

export const bullmqSession = { search_path: 'bullmq', synchronous_commit: 'off' };

/**
 * One pool for all queues and workers. Each worker keeps a connection of it for LISTEN, the rest is for queries.
 * BullMQ's tables are called `job` and `event` like ours: they live in the schema `bullmq`, which is the search
 * path here. Its commits do not wait for the disk: what a crash takes from it, the ledger gives back.
 */
function connectPostgres(url: string, application: string, workers: number): BullmqConnection {
  const pool = createPool(
    url,
    { application_name: `${application} bullmq`, max: workers + 3, connectionTimeoutMillis: connectMs },
    bullmqSession,
  );
  // Workers wait for NOTIFY on one, and BullMQ's statements have no deadline.
  pool.on('connect', breakWhenSilent);
  pool.setMaxListeners(0);
  // BullMQ takes a pool where its types ask for a Redis connection.
  const connection = pool as unknown as ConnectionOptions;
  return {
    backend: 'postgres',
    forQueues: connection,
    forWorkers: connection,
    assertUp: () => undefined, // The pool's own deadline answers.
    close: () => pool.end(),
  };
}
