import type { Pool, PoolClient } from 'pg';
import { createPool, type SessionSettings } from './session';

export interface PoolSettings {
  /** Milliseconds that a caller waits for a connection (`connectMs`) and for the answer to a statement (`queryMs`). */
  readonly connectMs: number;
  readonly queryMs: number;
  /** `force_custom_plan`: PostgreSQL plans every execution for its parameters. */
  readonly planCacheMode: 'auto' | 'force_custom_plan';
  /** How long a connection keeps a plan, in ms; for ever by default. */
  readonly planLifeMs?: number;
}

/** For the API: a caller gets an answer within 3 s, whatever PostgreSQL does. Its statements look up single rows. */
export const callerPool: PoolSettings = { connectMs: 1_300, queryMs: 1_200, planCacheMode: 'auto' };

/** No caller waits for a worker or for the relay, so they wait longer rather than retry. */
const patient = { connectMs: 5_000, queryMs: 10_000 };

/**
 * For workers. Their statements look up the rows of some jobs, and planning one takes as long as running it for a hundred
 * jobs. But a plan made while a table was small would scan the whole table when it has grown: a plan lives for some seconds.
 */
export const workerPool: PoolSettings = { ...patient, planCacheMode: 'auto', planLifeMs: 5_000 };

/** For the relay, whose statements look for rows by time and number: how many there are decides on the plan. */
export const relayPool: PoolSettings = { ...patient, planCacheMode: 'force_custom_plan' };

/** For Bull Board, whose users see that it does not answer. Its statements are planned for their parameters. */
export const boardPool: PoolSettings = { connectMs: 1_000, queryMs: 2_500, planCacheMode: 'force_custom_plan' };

/**
 * Four connections carry thousands of grouped statements a second, and keep a system of many processes far below
 * PostgreSQL's connection limit.
 */
export const connectionsOfProcess = 4;

/**
 * Creates the one pool of a process, shared by Prisma and the hot statements.
 * @param application the `application_name` of the sessions
 * @param max connections
 */
export function createLedgerPool(
  url: string,
  application: string,
  settings: PoolSettings,
  max = connectionsOfProcess,
): Pool {
  const pool = createPool(
    url,
    {
      application_name: application,
      max,
      connectionTimeoutMillis: settings.connectMs,
      // For a server that does not answer at all. A server that does ends the statement first, by `statement_timeout`.
      query_timeout: settings.queryMs + 200,
    },
    ledgerSession(settings),
  );
  if (settings.planLifeMs !== undefined) renewPlans(pool, settings.planLifeMs);
  return pool;
}

/** Drops the plans of a connection when it is taken and they are this old. The caller's statement waits for that. */
function renewPlans(pool: Pool, everyMs: number): void {
  const renewedAt = new WeakMap<PoolClient, number>();
  pool.on('connect', (client) => renewedAt.set(client, performance.now()));
  pool.on('acquire', (client) => {
    const now = performance.now();
    if (now - (renewedAt.get(client) ?? 0) < everyMs) return;
    renewedAt.set(client, now);
    // On a broken connection the caller's statement gets the error, too.
    client.query('DISCARD PLANS').catch(() => undefined);
  });
}

/** @returns the server settings that every session of the ledger must keep */
export function ledgerSession({ planCacheMode, queryMs }: PoolSettings): SessionSettings {
  return {
    plan_cache_mode: planCacheMode,
    // Compiling a statement takes longer than running any of ours.
    jit: 'off',
    // The server ends a slow statement, so that it writes nothing after its caller got a time-out.
    statement_timeout: `${queryMs}ms`,
  };
}

/**
 * Lends a connection to `work`, which begins and commits its transaction there. When `work` rejects, the transaction is
 * rolled back; a connection that cannot do this is closed.
 */
export async function withClient<Result>(pool: Pool, work: (client: PoolClient) => Promise<Result>): Promise<Result> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    return await work(client);
  } catch (error) {
    broken = error as Error;
    await client.query('ROLLBACK').then(
      () => (broken = undefined),
      () => undefined,
    );
    throw error;
  } finally {
    client.release(broken);
  }
}
