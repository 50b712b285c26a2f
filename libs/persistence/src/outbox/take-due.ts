import { Statement, type Database } from '../statement';

export interface OutboxRow {
  readonly id: string;
  readonly queue: string;
  readonly kind: string;
  readonly version: number;
  readonly jobId: string;
  readonly dispatch: number;
  readonly priority: number;
  readonly traceparent: string | null;
}

/**
 * Locks what is due, one priority after the other, so that each is read in the order of its index however many
 * rows wait for a later time. Other relays skip what is locked here.
 */
const takeStatement = new Statement<OutboxRow>(
  'outbox_take_due',
  `SELECT due.*
     FROM unnest(ARRAY[1, 2, 3]::smallint[]) AS level(priority)
    CROSS JOIN LATERAL (
      SELECT id, queue, kind, version, job_id AS "jobId", dispatch, priority, traceparent
        FROM outbox
       WHERE broker = $1 AND priority = level.priority AND publish_at <= now()
       ORDER BY publish_at
       LIMIT $2
         FOR UPDATE SKIP LOCKED
    ) due
    LIMIT $2`,
);

/** To be called inside a transaction, which holds the rows until they are published and removed. */
export async function takeDue(transaction: Database, broker: string, limit: number): Promise<OutboxRow[]> {
  return takeStatement.run(transaction, broker, limit);
}

const removeStatement = new Statement<never>('outbox_remove', `DELETE FROM outbox WHERE id = ANY($1::bigint[])`);

export async function removePublished(transaction: Database, rows: readonly OutboxRow[]): Promise<void> {
  await removeStatement.run(
    transaction,
    rows.map(({ id }) => id),
  );
}

const nextDueStatement = new Statement<{ ms: number | null }>(
  'outbox_next_due',
  `SELECT extract(epoch FROM min(next.publish_at) - now())::float8 * 1000 AS ms
     FROM unnest(ARRAY[1, 2, 3]::smallint[]) AS level(priority)
    CROSS JOIN LATERAL (
      SELECT publish_at FROM outbox WHERE broker = $1 AND priority = level.priority ORDER BY publish_at LIMIT 1
    ) next`,
);

/** Milliseconds until a row is due, below zero when one has been; undefined when there is none. */
export async function nextDueMs(database: Database, broker: string): Promise<number | undefined> {
  const [row] = await nextDueStatement.run(database, broker);
  return row?.ms ?? undefined;
}
