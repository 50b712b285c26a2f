import type { QueryResultRow } from 'pg';

/** A pool, or one client of it inside a transaction. */
export interface Database {
  query<Row extends QueryResultRow>(config: { name: string; text: string; values: unknown[] }): Promise<{ rows: Row[] }>;
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
    const { rows } = await database.query<Row>({ name: this.name, text: this.text, values });
    return rows;
  }
}
