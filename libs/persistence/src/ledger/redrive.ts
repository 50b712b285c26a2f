import { issueDispatch } from '../outbox/issue-dispatch';
import { Statement, type Database } from '../statement';
import { recordState } from './record-state';

/** Which dead letters to redrive: some by their ids, or those that fit. */
export interface RedriveSelection {
  readonly ids: readonly string[] | undefined;
  readonly kind: string | undefined;
  readonly broker: string | undefined;
  readonly before: Date | undefined;
}

export interface Redriven {
  readonly id: string;
  readonly jobId: string | null;
  readonly becomes: 'redriven' | 'unreadable' | 'not_failed';
}

/** How many dead letters one call takes at most. */
export const redriveLimit = 1_000;

/**
 * failed -> queued, under the next dispatch and with all its attempts again. The effect key stays the same. A job
 * that has an order key lines up behind those of its key that came since. Two at once do no harm: the second finds the
 * job queued.
 */
const redriveStatement = new Statement<Redriven>(
  'redrive',
  `WITH selected AS (
     SELECT id, job_id FROM dead_letter
      WHERE redriven_at IS NULL
        AND ($1::uuid[] IS NULL OR id = ANY($1))
        AND ($2::text IS NULL OR kind = $2)
        AND ($3::text IS NULL OR broker = $3)
        AND ($4::timestamptz IS NULL OR created_at < $4)
        AND ($1::uuid[] IS NOT NULL OR job_id IS NOT NULL)
      ORDER BY created_at, id
      LIMIT ${redriveLimit}
   ), failed AS (
     SELECT job.id, job.order_key, job.order_position
       FROM job
      WHERE state = 'failed' AND job.id IN (SELECT job_id FROM selected)
      ORDER BY job.id
        FOR UPDATE
   ), locked AS MATERIALIZED (
     SELECT order_key, pg_advisory_xact_lock(hashtextextended(order_key, 0))
       FROM (SELECT DISTINCT order_key FROM failed WHERE order_key IS NOT NULL ORDER BY order_key) keys
   ), lined_up AS MATERIALIZED (
     SELECT id, nextval('job_order') AS position
       FROM (SELECT id FROM failed JOIN locked USING (order_key) ORDER BY order_position) in_order
   ), again AS (
     UPDATE job
        SET state = 'queued', dispatch = dispatch + 1, attempt = 0, sequence = sequence + 1, run_at = now(),
            started_at = NULL, finished_at = NULL, cancel_requested = false, progress = 0, progress_note = NULL,
            order_position = lined_up.position
       FROM failed LEFT JOIN lined_up USING (id)
      WHERE job.id = failed.id
     RETURNING job.*
   ), dispatched AS (
     ${issueDispatch('again')}
   ), recorded AS (
     ${recordState('again')}
   ), marked AS (
     UPDATE dead_letter SET redriven_at = now(), redriven_by = $5
      WHERE redriven_at IS NULL AND job_id IN (SELECT id FROM again)
   )
   SELECT selected.id, selected.job_id AS "jobId",
          CASE WHEN again.id IS NOT NULL THEN 'redriven' WHEN selected.job_id IS NULL THEN 'unreadable'
               ELSE 'not_failed' END AS becomes
     FROM selected LEFT JOIN again ON again.id = selected.job_id`,
);

/** @param by who asked for it, for the record */
export async function redrive(database: Database, selection: RedriveSelection, by: string): Promise<Redriven[]> {
  const { ids, kind, broker, before } = selection;
  return redriveStatement.run(database, ids ?? null, kind ?? null, broker ?? null, before ?? null, by);
}
