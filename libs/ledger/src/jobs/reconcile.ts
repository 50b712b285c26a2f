import { statement, type Database } from '../statement';
import { issueDispatch, recordState } from './sql-parts';

/** How many messages a broker should hold per queue: those of jobs that are active, or queued and published. */
const publishedStatement = statement<{ queue: string; published: number }>('count_published').with(
  { broker: 'text' },
  ($) => `SELECT queue, (count(*) - coalesce(max(unpublished.rows), 0))::int AS published
     FROM job
     LEFT JOIN (SELECT queue, count(*) AS rows FROM outbox WHERE broker = ${$.broker} GROUP BY queue) unpublished USING (queue)
    WHERE state IN ('queued', 'active') AND broker = ${$.broker}
    GROUP BY queue`,
);

/** @returns by queue, how many messages the broker should hold; a queue without such jobs is missing */
export async function countPublished(database: Database, broker: string): Promise<Map<string, number>> {
  const rows = await publishedStatement.run(database, { broker });
  return new Map(rows.map(({ queue, published }) => [queue, published]));
}

/** How many jobs one call dispatches again at most. */
export const redispatchLimit = 1_000;

/**
 * Dispatches again jobs that have waited too long. On a queue that holds too few messages these are all such jobs,
 * since the missing messages are unknown. On any other queue these are jobs that were overtaken by a job that became
 * due that much later and is not more urgent. If the broker still holds the old message, the claim drops it as stale.
 */
const redispatchStatement = statement<{ id: string }>('redispatch_forgotten').with(
  { broker: 'text', queue: 'text', waitedMs: 'int', isShort: 'boolean' },
  ($) => `WITH forgotten AS (
     SELECT id FROM job
      WHERE state = 'queued' AND broker = ${$.broker} AND queue = ${$.queue}
        AND run_at < now() - ${$.waitedMs} * interval '1 millisecond'
        AND (${$.isShort} OR EXISTS (
              SELECT FROM job later
               WHERE later.state = 'active' AND later.broker = ${$.broker} AND later.queue = ${$.queue}
                 AND later.priority >= job.priority
                 AND later.run_at > job.run_at + ${$.waitedMs} * interval '1 millisecond'))
        AND NOT EXISTS (SELECT FROM outbox WHERE outbox.job_id = job.id)
      LIMIT ${redispatchLimit}
        FOR UPDATE SKIP LOCKED
   ), again AS (
     UPDATE job SET dispatch = dispatch + 1, sequence = sequence + 1, run_at = now()
       FROM forgotten
      WHERE job.id = forgotten.id
     RETURNING job.*
   ), dispatched AS (
     ${issueDispatch('again')}
   ), recorded AS (
     ${recordState('again')}
   )
   SELECT id FROM again`,
);

/**
 * Dispatches again jobs of a queue that are queued, published and due, and whose message the broker may have lost.
 * @param waitedMs only jobs that became due more than this number of milliseconds ago
 * @param isShort whether the broker holds fewer messages of the queue than it should. True: all these jobs. False: only
 *   those that a later job of the same or a lower priority has overtaken
 * @returns how many jobs were dispatched again; if it equals `redispatchLimit`, there may be more
 */
export async function redispatchForgotten(
  database: Database,
  broker: string,
  queue: string,
  waitedMs: number,
  isShort: boolean,
): Promise<number> {
  return (await redispatchStatement.run(database, { broker, queue, waitedMs, isShort })).length;
}
