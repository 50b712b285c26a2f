import { recordAction } from './audit';
import { heldUntil, pausedQueues } from './jobs/sql-parts';
import { statement, type Database } from './statement';

/** A queue none of whose jobs begins an attempt. */
export interface QueuePause {
  readonly queue: string;
  readonly pausedAt: Date;
  readonly pausedBy: string;
  readonly reason: string;
}

/**
 * Pauses a queue: when this commits, no further attempt of its jobs begins, on any broker. Attempts that run go on. Its
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

/** How many outbox rows one call of `releaseHeld` releases at most. */
export const releasedAtOnce = 5_000;

/** In the order in which they became due: the relay publishes in the order of `publish_at`. */
const releaseStatement = statement<{ count: number }>('outbox_release').text(
  `WITH free AS (
     SELECT outbox.id, run_at
       FROM outbox JOIN job ON job.id = outbox.job_id
      WHERE publish_at = ${heldUntil} AND outbox.queue <> ALL (${pausedQueues})
      ORDER BY run_at, outbox.id
      LIMIT ${releasedAtOnce}
        FOR UPDATE OF outbox SKIP LOCKED
   ), placed AS (
     SELECT id, row_number() OVER (ORDER BY run_at, id) AS place FROM free
   ), released AS (
     UPDATE outbox SET publish_at = now() + place * interval '1 microsecond' FROM placed WHERE outbox.id = placed.id
     RETURNING outbox.id
   )
   SELECT count(*)::int AS count FROM released`,
);

/**
 * Releases held outbox rows of queues that are not paused. Several relays may call it at once.
 * @returns how many; if it equals `releasedAtOnce`, there may be more
 * @throws the database's error
 */
export async function releaseHeld(database: Database): Promise<number> {
  const [row] = await releaseStatement.run(database);
  return row!.count;
}

/** Records that the waiting and queued jobs of a queue were cancelled. */
export const auditPurge = statement<never>('queue_audit_purge').with(
  { queue: 'text', cancelled: 'int', by: 'text' },
  ($) => recordAction('queue.purge', $.by, $.queue, `jsonb_build_object('cancelled', ${$.cancelled})`, ''),
);
