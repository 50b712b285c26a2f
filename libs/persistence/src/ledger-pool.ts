import { Pool } from 'pg';

/** Milliseconds a caller waits for a connection, and then for the answer. */
export interface PoolDeadlines {
  readonly connectMs: number;
  readonly queryMs: number;
}

/**
 * The one pool of a process, shared by Prisma and the hot statements. Four connections carry thousands of
 * grouped statements a second, and keep a system of many processes far below PostgreSQL's limit.
 *
 * The hot statements join arrays of ids with large tables. A generic plan made while a table was small would
 * scan it for ever after, so every execution is planned for what it is given.
 */
export function createLedgerPool(url: string, application: string, deadlines: PoolDeadlines, max = 4): Pool {
  const pool = new Pool({
    connectionString: withServerOptions(url, '-c plan_cache_mode=force_custom_plan'),
    application_name: application,
    max,
    connectionTimeoutMillis: deadlines.connectMs,
    // The server ends what takes too long, so that nothing is written after its caller was told that it was not.
    statement_timeout: deadlines.queryMs,
    // For a server that does not answer at all.
    query_timeout: deadlines.queryMs + 200,
    keepAlive: true,
  });
  surviveLostConnections(pool);
  return pool;
}

/**
 * A lost connection is an error of the statement that used it. pg also emits it: on the pool where the connection
 * was idle, on the client where it was in use, and there an event that nobody hears ends the process.
 */
export function surviveLostConnections(pool: Pool): void {
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
}

/** Adds to the options that the address may bring itself; pg would take one or the other. */
export function withServerOptions(url: string, options: string): string {
  const address = new URL(url);
  address.searchParams.set('options', [address.searchParams.get('options'), options].filter(Boolean).join(' '));
  return address.href;
}

/** A caller of the API has an answer within 3 s, whatever PostgreSQL does. */
export const callerDeadlines: PoolDeadlines = { connectMs: 1_300, queryMs: 1_200 };

/** Nobody waits for a worker: it had rather wait than try again. */
export const workerDeadlines: PoolDeadlines = { connectMs: 5_000, queryMs: 10_000 };
