import type { QueryResultRow } from 'pg';
import type { Transaction } from './transaction';

/** A pool, or one client of it inside a transaction. */
export interface Database {
  query(config: { name: string; text: string; values: unknown[] }): Promise<{ rows: unknown[] }>;
}

/**
 * A hot statement. The name makes it a prepared one: each connection parses it once.
 * @typeParam Row what each returned row holds
 */
export class Statement<Row extends QueryResultRow> {
  constructor(
    readonly name: string,
    readonly text: string,
  ) {}

  async run(database: Database, ...values: unknown[]): Promise<Row[]> {
    const { rows } = await database.query({ name: this.name, text: this.text, values });
    return rows as Row[];
  }
}

/** A transaction of Prisma as a database of the statements. Bytes come back as Uint8Array. */
export function inTransaction(tx: Pick<Transaction, '$queryRawUnsafe'>): Database {
  return { query: async ({ text, values }) => ({ rows: await tx.$queryRawUnsafe<unknown[]>(text, ...values) }) };
}
