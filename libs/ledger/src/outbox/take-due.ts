import { pausedQueues } from '../jobs/sql-parts';
import { columnsOf, statement, type Database } from '../statement';

export interface OutboxRow {
  readonly rowId: string;
  /** The id of the job. */
  readonly id: string;
  readonly queue: string;
  readonly kind: string;
  readonly version: number;
  readonly dispatch: number;
  readonly priority: number;
  readonly orderKey: string | null;
  readonly at: Date;
  readonly traceparent: string | null;
}

const columns = `id AS "rowId", job_id AS id, queue, kind, version, dispatch, priority, order_key AS "orderKey", publish_at AS at, traceparent,
   queue = ANY (${pausedQueues}) AS "isPaused"`;

/**
 * The first outbox row of each order key. The query jumps through the index from key to key, so that ten thousand rows
 * of one key cost as much as one.
 */
const headsOf = (broker: string) => `head AS (
     (SELECT id, order_key FROM outbox
       WHERE broker = ${broker} AND order_key IS NOT NULL
       ORDER BY order_key, order_position
       LIMIT 1)
     UNION ALL
     SELECT next.* FROM head CROSS JOIN LATERAL (
       SELECT id, order_key FROM outbox
        WHERE broker = ${broker} AND order_key > head.order_key
        ORDER BY order_key, order_position
        LIMIT 1) next
   )`;

/**
 * Locks rows that are due, one priority after another. Each priority is read in the order of its index, however many
 * rows wait for a later time. A row with an order key is not due while an earlier job of the key is not final. Other
 * relays skip the locked rows.
 */
const takeStatement = statement<OutboxRow & { readonly isPaused: boolean }>('outbox_take_due').with(
  { broker: 'text', limit: 'int' },
  ($) => `WITH RECURSIVE ${headsOf($.broker)}
   SELECT * FROM (
     SELECT due.*
       FROM unnest(ARRAY[1, 2, 3]::smallint[]) AS level(priority)
      CROSS JOIN LATERAL (
        SELECT ${columns}
          FROM outbox
         WHERE broker = ${$.broker} AND priority = level.priority AND publish_at <= now() AND order_key IS NULL
         ORDER BY publish_at
         LIMIT ${$.limit}
           FOR UPDATE SKIP LOCKED
      ) due
      LIMIT ${$.limit}
   ) unordered
   UNION ALL
   SELECT * FROM (
     SELECT ${columns}
       FROM outbox
      WHERE id IN (SELECT id FROM head) AND publish_at <= now()
        AND NOT EXISTS (
          SELECT FROM job earlier
           WHERE earlier.order_key = outbox.order_key AND earlier.order_position < outbox.order_position
             AND earlier.state IN ('waiting', 'queued', 'active'))
      LIMIT ${$.limit}
        FOR UPDATE SKIP LOCKED
   ) ordered`,
);

/** `publish_at` of a row that waits for the end of a pause. Before version 17, PostgreSQL cannot subtract it. */
const heldUntil = "timestamptz 'infinity'";

/** How often one transaction takes rows again because some of them were of paused queues. */
const mostRounds = 20;

const holdStatement = statement<never>('outbox_hold').with(
  { rowId: 'bigint[]' },
  ($) => `UPDATE outbox SET held_from = publish_at, publish_at = ${heldUntil} WHERE id = ANY(${$.rowId})`,
);

/**
 * Must run in a transaction, which locks the rows until they are published and removed. Puts off due rows of paused
 * queues, so that they are read once and delay no other queue.
 * @returns at most `limit` rows with an order key and at most `limit` without
 */
export async function takeDue(transaction: Database, broker: string, limit: number): Promise<OutboxRow[]> {
  for (let round = 1; ; round += 1) {
    const rows = await takeStatement.run(transaction, { broker, limit });
    const paused = rows.filter(({ isPaused }) => isPaused);
    if (paused.length > 0) await holdStatement.run(transaction, columnsOf(paused, 'rowId'));
    // Due rows of other queues may be behind those that are held now.
    if (paused.length === 0 || round === mostRounds) return rows.filter(({ isPaused }) => !isPaused);
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

const nextDueStatement = statement<{ ms: number | null }>('outbox_next_due').with(
  { broker: 'text' },
  ($) => `WITH RECURSIVE ${headsOf($.broker)}
   SELECT extract(epoch FROM nullif(min(next.publish_at), ${heldUntil}) - now())::float8 * 1000 AS ms
     FROM (
       SELECT first.publish_at
         FROM unnest(ARRAY[1, 2, 3]::smallint[]) AS level(priority)
        CROSS JOIN LATERAL (
          SELECT publish_at FROM outbox
           WHERE broker = ${$.broker} AND priority = level.priority AND order_key IS NULL
           ORDER BY publish_at
           LIMIT 1
        ) first
       UNION ALL
       SELECT publish_at FROM outbox WHERE id IN (SELECT id FROM head) AND publish_at > now()
     ) next`,
);

/**
 * The worker or statement that ends a job wakes the relay for the next job of its order key, so that job is not
 * counted.
 * @returns milliseconds until the next row is due, negative when one is overdue; undefined when there is none
 */
export async function nextDueMs(database: Database, broker: string): Promise<number | undefined> {
  const [row] = await nextDueStatement.run(database, { broker });
  return row?.ms ?? undefined;
}
