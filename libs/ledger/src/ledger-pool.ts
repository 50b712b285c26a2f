import type { Pool, PoolClient } from 'pg';
import { createPool, type SessionSettings } from './session';

export interface PoolSettings {
  /** Milliseconds that a caller waits for a connection (`connectMs`) and for the answer to a statement (`queryMs`). */
  readonly connectMs: number;
  readonly queryMs: number;
  /** `force_custom_plan`: PostgreSQL plans every execution for its parameters. */
  readonly planCacheMode: 'auto' | 'force_custom_plan';
}

/** For the API: a caller gets an answer within 3 s, whatever PostgreSQL does. Its statements look up single rows. */
export const callerPool: PoolSettings = { connectMs: 1_300, queryMs: 1_200, planCacheMode: 'auto' };

/**
 * For workers and the relay: no caller waits for them, so they wait longer rather than retry. Their statements join
 * arrays of ids with large tables. A generic plan made while a table was small would keep scanning it as it grows.
 */
export const workerPool: PoolSettings = { connectMs: 5_000, queryMs: 10_000, planCacheMode: 'force_custom_plan' };

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
  return createPool(
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
