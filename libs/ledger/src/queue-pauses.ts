import { recordAction } from './audit';
import { pausedQueues } from './jobs/sql-parts';
import { statement, type Database } from './statement';

/** A queue none of whose jobs begins an attempt. */
export interface QueuePause {
  readonly queue: string;
  readonly pausedAt: Date;
  readonly pausedBy: string;
  readonly reason: string;
}

/**
 * Pauses a queue: a claim that begins after the commit gets none of its jobs, on any broker. Attempts that run go on. Its
 * jobs wait in the outbox: the relay holds the rows that become due, and a job whose message a broker still has returns
 * there when a worker asks for it. A second pause changes nothing.
 */
export const pauseQueue = statement<never>('queue_pause').with(
  { queue: 'text', reason: 'text', by: 'text' },
  ($) => `WITH paused AS (
     INSERT INTO queue_pause (queue, paused_by, reason) VALUES (${$.queue}, ${$.by}, ${$.reason})
         ON CONFLICT DO NOTHING
     RETURNING queue, reason
   )
   ${recordAction('queue.pause', $.by, 'queue', "jsonb_build_object('reason', reason)", 'FROM paused')}`,
);

/** Ends a pause; changes nothing when the queue is not paused. The relay releases the jobs within its `sweepMs`. */
export const resumeQueue = statement<never>('queue_resume').with(
  { queue: 'text', by: 'text' },
  ($) => `WITH resumed AS (
     DELETE FROM queue_pause WHERE queue = ${$.queue} RETURNING queue, paused_at
   )
   ${recordAction('queue.resume', $.by, 'queue', "jsonb_build_object('pausedAt', paused_at)", 'FROM resumed')}`,
);

export const listQueuePauses = statement<QueuePause>('queue_pauses').text(
  `SELECT queue, paused_at AS "pausedAt", paused_by AS "pausedBy", reason FROM queue_pause ORDER BY queue`,
);

/** How many outbox rows of a queue one call of `releaseHeld` releases at most. */
const releasedAtOnce = 5_000;

/**
 * Finds the queues with held rows by jumping through the index from queue to queue. The rows become due one after another,
 * within a second, in the order in which they were due before the pause, so that rows of other queues stand between them.
 * One relay at a time: a second one would put later rows first.
 */
const releaseStatement = statement<{ count: number }>('outbox_release').text(
  `WITH RECURSIVE held AS (
     (SELECT queue FROM outbox WHERE held_from IS NOT NULL ORDER BY queue LIMIT 1)
     UNION ALL
     SELECT next.queue FROM held CROSS JOIN LATERAL (
       SELECT queue FROM outbox WHERE held_from IS NOT NULL AND queue > held.queue ORDER BY queue LIMIT 1) next
   ), free AS (
     SELECT due.* FROM held CROSS JOIN LATERAL (
       SELECT id, held_from FROM outbox
        WHERE held_from IS NOT NULL AND outbox.queue = held.queue
        ORDER BY held_from, id
        LIMIT ${releasedAtOnce}
          FOR UPDATE SKIP LOCKED) due
      WHERE held.queue <> ALL (${pausedQueues})
        AND (SELECT pg_try_advisory_xact_lock(hashtextextended('outbox release', 0)))
   ), placed AS (
     SELECT id, row_number() OVER (ORDER BY held_from, id) AS place FROM free
   ), released AS (
     UPDATE outbox SET held_from = NULL, publish_at = now() + place * interval '200 microseconds'
       FROM placed WHERE outbox.id = placed.id
     RETURNING outbox.id
   )
   SELECT count(*)::int AS count FROM released`,
);

/**
 * Releases held outbox rows of queues that are not paused.
 * @returns how many; none while another relay releases
 * @throws the database's error
 */
export async function releaseHeld(database: Database): Promise<number> {
  const [row] = await releaseStatement.run(database);
  return row!.count;
}

/** Records that an operator purges a queue. Run it before the purge, which may end half-way. */
export const auditPurge = statement<never>('queue_audit_purge').with({ queue: 'text', by: 'text' }, ($) =>
  recordAction('queue.purge', $.by, $.queue, "'{}'", ''),
);
