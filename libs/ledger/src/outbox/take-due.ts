import { pausedQueues } from '../jobs/sql-parts';
import { statement } from '../statement';

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

export interface DueRow extends OutboxRow {
  readonly isPaused: boolean;
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

/** Rows without an order key that are due, one priority after another, each in the order of its index. */
const plainDue = ($: { broker: string; limit: string }, from = '') => `SELECT * FROM (
     SELECT due.*
       FROM unnest(ARRAY[1, 2, 3]::smallint[]) AS level(priority)
      CROSS JOIN LATERAL (
        SELECT ${columns}
          FROM outbox
         WHERE broker = ${$.broker} AND priority = level.priority AND publish_at <= now() AND order_key IS NULL ${from}
         ORDER BY publish_at
         LIMIT ${$.limit}
           FOR UPDATE SKIP LOCKED
      ) due
      LIMIT ${$.limit}
   ) unordered`;

/**
 * Locks rows that are due, however many rows wait for a later time. A row with an order key is not due while an earlier
 * job of the key is not final. Other relays skip the locked rows.
 */
export const takeStatement = statement<DueRow>('outbox_take_due').with(
  { broker: 'text', limit: 'int' },
  ($) => `WITH RECURSIVE ${headsOf($.broker)}
   ${plainDue($)}
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

/** Where a search begins, for each priority; null for the beginning. */
const from = (cursors: string) => `AND publish_at >= coalesce((${cursors})[level.priority], '-infinity')`;

/** Locks rows without an order key that are due at their cursor or later. */
export const takeFromStatement = statement<DueRow>('outbox_take_due_from').with(
  { broker: 'text', limit: 'int', cursors: 'timestamptz?[]' },
  ($) => plainDue($, from($.cursors)),
);

/** `publish_at` of a row that waits for the end of a pause. Before version 17, PostgreSQL cannot subtract it. */
const heldUntil = "timestamptz 'infinity'";

/** Puts rows of paused queues off. */
export const holdStatement = statement<never>('outbox_hold').with(
  { rowId: 'bigint[]' },
  ($) => `UPDATE outbox SET held_from = publish_at, publish_at = ${heldUntil} WHERE id = ANY(${$.rowId})`,
);

/** When the next row without an order key is due, for each priority. */
const nextPlain = (broker: string, from = '') => `SELECT first.publish_at
         FROM unnest(ARRAY[1, 2, 3]::smallint[]) AS level(priority)
        CROSS JOIN LATERAL (
          SELECT publish_at FROM outbox
           WHERE broker = ${broker} AND priority = level.priority AND order_key IS NULL ${from}
           ORDER BY publish_at
           LIMIT 1
        ) first`;

const untilFirst = `SELECT extract(epoch FROM nullif(min(next.publish_at), ${heldUntil}) - now())::float8 * 1000 AS ms`;

/** The statement that ends a job wakes the relay for the next job of its order key, so that job is not counted. */
export const nextDueStatement = statement<{ ms: number | null }>('outbox_next_due').with(
  { broker: 'text' },
  ($) => `WITH RECURSIVE ${headsOf($.broker)}
   ${untilFirst}
     FROM (
       ${nextPlain($.broker)}
       UNION ALL
       SELECT publish_at FROM outbox WHERE id IN (SELECT id FROM head) AND publish_at > now()
     ) next`,
);

export const nextDueFromStatement = statement<{ ms: number | null }>('outbox_next_due_from').with(
  { broker: 'text', cursors: 'timestamptz?[]' },
  ($) => `${untilFirst} FROM (${nextPlain($.broker, from($.cursors))}) next`,
);
