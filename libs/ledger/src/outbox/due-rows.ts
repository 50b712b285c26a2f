import { columnsOf, statement, type Database } from '../statement';
import { SearchPace } from './search-pace';
import {
  holdStatement,
  nextDueFromStatement,
  nextDueStatement,
  takeFromStatement,
  takeStatement,
  type DueRow,
  type OutboxRow,
} from './take-due';

export type { OutboxRow };

/** How often one transaction takes rows again because some of them were of paused queues. */
const mostRounds = 20;

/**
 * The due rows of one broker. A search begins where the last one of its priority ended; `SearchPace` says why. Only a whole
 * search finds rows with an order key.
 */
export class DueRows {
  private readonly cursors: (Date | null)[] = [null, null, null];

  constructor(
    private readonly broker: string,
    private readonly pace = new SearchPace(),
  ) {}

  /**
   * Must run in a transaction, which locks the rows until they are published and removed. Puts off due rows of paused
   * queues, so that they are read once and delay no other queue.
   * @returns at most `limit` rows with an order key and at most `limit` without
   */
  async take(transaction: Database, limit: number): Promise<OutboxRow[]> {
    for (let round = 1; ; round += 1) {
      const rows = await this.search(transaction, limit);
      const paused = rows.filter(({ isPaused }) => isPaused);
      if (paused.length > 0) await holdStatement.run(transaction, columnsOf(paused, 'rowId'));
      // Due rows of other queues may be behind those that are held now.
      if (paused.length === 0 || round === mostRounds) return rows.filter(({ isPaused }) => !isPaused);
    }
  }

  /** @returns milliseconds until `take` may find something, 0 or less when it may already; undefined when there is nothing */
  async nextDueMs(database: Database): Promise<number | undefined> {
    const { broker, cursors, pace } = this;
    if (pace.isWhole) {
      pace.begin();
      const [row] = await nextDueStatement.run(database, { broker });
      pace.end();
      return row?.ms ?? undefined;
    }
    const [row] = await nextDueFromStatement.run(database, { broker, cursors });
    return Math.min(row?.ms ?? Infinity, pace.restMs);
  }

  private async search(transaction: Database, limit: number): Promise<DueRow[]> {
    const { broker, cursors, pace } = this;
    const rows = pace.begin()
      ? await takeStatement.run(transaction, { broker, limit })
      : await takeFromStatement.run(transaction, { broker, limit, cursors });
    pace.end(rows.filter((row) => this.isBehind(row)).length >= limit / 2);
    for (const row of rows) if (!this.isBehind(row)) cursors[row.priority - 1] = row.at;
    return rows;
  }

  /** Whether only a whole search finds the row. */
  private isBehind({ orderKey, priority, at }: OutboxRow): boolean {
    return orderKey !== null || at < (this.cursors[priority - 1] ?? at);
  }
}

const removeStatement = statement<never>('outbox_remove').with(
  { ids: 'bigint[]' },
  ($) => `DELETE FROM outbox WHERE id = ANY(${$.ids})`,
);

/** Deletes rows that the broker has confirmed, in the transaction that took them. */
export async function removePublished(transaction: Database, rows: readonly OutboxRow[]): Promise<void> {
  await removeStatement.run(transaction, { ids: rows.map(({ rowId }) => rowId) });
}
