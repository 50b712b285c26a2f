import type { QueryResultRow } from 'pg';
import type { Transaction } from './transaction';

/** A pool, or one client of it inside a transaction. */
export interface Database {
  query(config: { name: string; text: string; values: unknown[] }): Promise<{ rows: unknown[] }>;
}

/**
 * A frequently used statement. Its name makes it a prepared statement: each connection parses it once.
 * @typeParam Row the columns of each returned row
 */
export class Statement<Row extends QueryResultRow> {
  constructor(
    readonly name: string,
    readonly text: string,
  ) {}

  /**
   * @param values the parameters $1, $2, … of the text
   * @returns the rows
   * @throws the error of PostgreSQL; see `isDatabaseUnavailable`
   */
  async run(database: Database, ...values: unknown[]): Promise<Row[]> {
    const { rows } = await database.query({ name: this.name, text: this.text, values });
    return rows as Row[];
  }
}

/** Adapts a Prisma transaction to run these statements in it. Returns bytes as Uint8Array. */
export function inTransaction(tx: Pick<Transaction, '$queryRawUnsafe'>): Database {
  return { query: async ({ text, values }) => ({ rows: await tx.$queryRawUnsafe<unknown[]>(text, ...values) }) };
}
