import type { Pool } from 'pg';
import { cpuSecondsOfChildren } from './cpu';

/** The cost of the work between two moments, in all descendants of this process and in their PostgreSQL. */
export interface Cost {
  /** All statements of clients, including BEGIN, COMMIT and NOTIFY: round trips. */
  readonly statements: number;
  /** Transactions that wrote or locked rows: each is a commit record. */
  readonly writes: number;
  /** Undefined when it cannot be read. */
  readonly cpuSeconds: number | undefined;
}

/**
 * Begins with a checkpoint, so that no contender pays for pages that another has written.
 * @param pool of the database under test
 * @returns a function that ends the measurement
 */
export async function startMeter(pool: Pool): Promise<() => Promise<Cost>> {
  await pool.query('CHECKPOINT');
  const {
    rows: [before],
  } = await pool.query<Counters>(`SELECT ${nextTransaction} FROM pg_stat_statements_reset()`);
  const cpuBefore = cpuSecondsOfChildren();

  return async () => {
    const cpuAfter = cpuSecondsOfChildren();
    const {
      rows: [after],
    } = await pool.query<Counters & { statements: number }>(
      `SELECT ${nextTransaction}, coalesce(sum(calls), 0)::int AS statements
         FROM pg_stat_statements
        WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    return {
      statements: after!.statements,
      writes: after!.transaction - before!.transaction,
      cpuSeconds: cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore,
    };
  };
}

interface Counters {
  readonly transaction: number;
}

/** Only transactions that write get a number, and pg_stat_database would be seconds late. */
const nextTransaction = `pg_snapshot_xmax(pg_current_snapshot())::text::float8 AS transaction`;
