import type { Pool } from 'pg';
import { createPool, type SessionSettings } from './session';

export interface PoolSettings {
  /** Milliseconds a caller waits for a connection, and then for the answer. */
  readonly connectMs: number;
  readonly queryMs: number;
  /** `force_custom_plan`: every execution is planned for what it is given. */
  readonly planCacheMode: 'auto' | 'force_custom_plan';
}

/** A caller of the API has an answer within 3 s, whatever PostgreSQL does. Its statements look up single rows. */
export const callerPool: PoolSettings = { connectMs: 1_300, queryMs: 1_200, planCacheMode: 'auto' };

/**
 * Nobody waits for a worker or the relay: they had rather wait than try again. Their statements join arrays of ids
 * with large tables, and a generic plan made while a table was small would go on scanning it as it grows.
 */
export const workerPool: PoolSettings = { connectMs: 5_000, queryMs: 10_000, planCacheMode: 'force_custom_plan' };

/** Bull Board is for people, who see that it does not answer. Its statements are planned for what they are given. */
export const boardPool: PoolSettings = { connectMs: 1_000, queryMs: 2_500, planCacheMode: 'force_custom_plan' };

/**
 * The one pool of a process, shared by Prisma and the hot statements. Four connections carry thousands of
 * grouped statements a second, and keep a system of many processes far below PostgreSQL's limit.
 */
export function createLedgerPool(url: string, application: string, settings: PoolSettings, max = 4): Pool {
  return createPool(
    url,
    {
      application_name: application,
      max,
      connectionTimeoutMillis: settings.connectMs,
      // For a server that does not answer at all.
      query_timeout: settings.queryMs + 200,
    },
    ledgerSession(settings),
  );
}

export function ledgerSession({ planCacheMode, queryMs }: PoolSettings): SessionSettings {
  return {
    plan_cache_mode: planCacheMode,
    // Compiling a statement takes longer than any of ours runs.
    jit: 'off',
    // The server ends what takes too long, so that nothing is written after its caller was told that it was not.
    statement_timeout: `${queryMs}ms`,
  };
}
