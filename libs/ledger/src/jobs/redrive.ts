import { recordAction } from '../audit';
import { statement } from '../statement';
import { issueDispatch, recordState } from './sql-parts';

/** Which dead letters to redrive: by their ids or the ids of their jobs, or by filters. */
export interface RedriveSelection {
  readonly ids: readonly string[] | undefined;
  readonly kind: string | undefined;
  readonly broker: string | undefined;
  readonly before: Date | undefined;
}

export interface Redriven {
  readonly id: string;
  readonly jobId: string | null;
  readonly becomes: 'redriven' | 'unreadable' | 'not_failed' | 'child_cancelled';
}

/** How many dead letters one call redrives at most. */
export const redriveLimit = 1_000;

/**
 * Redrives dead letters, `redriveLimit` at most, and records `by`, who asked for it. Returns for each selected dead letter
 * what became of it.
 *
 * failed -> queued, with the next dispatch and with all attempts again. The effect key stays the same. A job with an
 * order key goes behind the later jobs of its key. Concurrent redrives are safe: the second one waits for the dead letter,
 * and finds it redriven.
 *
 * A family is redriven together: with a parent its failed children, with a child the parent that it failed. The parent
 * waits again until all children are completed. A parent with a cancelled child, or with one whose dead letter was
 * discarded, would wait for ever, so it stays failed.
 *
 * Jobs are locked before dead letters, each in the order of their ids, as the retention does.
 */
export const redrive = statement<Redriven>('redrive').with(
  { ids: 'uuid[]?', kind: 'text?', broker: 'text?', before: 'timestamptz?', by: 'text' },
  ($) => `WITH selected AS (
     SELECT id, job_id FROM dead_letter
      WHERE redriven_at IS NULL AND discarded_at IS NULL
        AND (${$.ids} IS NULL OR id = ANY(${$.ids}) OR job_id = ANY(${$.ids}))
        AND (${$.kind} IS NULL OR kind = ${$.kind})
        AND (${$.broker} IS NULL OR broker = ${$.broker})
        AND (${$.before} IS NULL OR created_at < ${$.before})
        AND (${$.ids} IS NOT NULL OR job_id IS NOT NULL)
      ORDER BY created_at, id
      LIMIT ${redriveLimit}
   ), heads AS (
     SELECT job_id AS id FROM selected WHERE job_id IS NOT NULL
     UNION
     SELECT parent_id FROM job WHERE id IN (SELECT job_id FROM selected) AND parent_id IS NOT NULL
   ), family AS (
     SELECT id, parent_id, state, order_key, order_position, error
       FROM job
      WHERE id IN (SELECT id FROM heads) OR parent_id IN (SELECT id FROM heads)
      ORDER BY id
        FOR UPDATE
   ), letters AS MATERIALIZED (
     SELECT id, job_id, discarded_at FROM dead_letter
      WHERE job_id IN (SELECT id FROM family) AND redriven_at IS NULL
      ORDER BY id
        FOR UPDATE
   ), members AS (
     SELECT family.*, id IN (SELECT job_id FROM letters WHERE discarded_at IS NOT NULL) AS is_discarded,
            id IN (SELECT job_id FROM letters JOIN selected USING (id, job_id) WHERE discarded_at IS NULL)
              OR error->>'code' = 'child_failed' AS is_wanted
       FROM family
   ), parents AS (
     SELECT parent_id AS id, count(*) FILTER (WHERE state <> 'completed') AS open,
            bool_or(state = 'cancelled' OR state = 'failed' AND is_discarded) AS is_broken
       FROM members
      WHERE parent_id IS NOT NULL
      GROUP BY parent_id
   ), failed AS (
     SELECT member.id, member.order_key, member.order_position, coalesce(as_parent.open, 0) AS open
       FROM members member
       LEFT JOIN parents as_parent ON as_parent.id = member.id
       LEFT JOIN members parent ON parent.id = member.parent_id AND parent.state = 'failed' AND parent.is_wanted
         AND NOT parent.is_discarded
       LEFT JOIN parents siblings ON siblings.id = parent.id
      WHERE member.state = 'failed' AND NOT member.is_discarded AND as_parent.is_broken IS NOT TRUE
        AND (member.is_wanted OR siblings.is_broken IS FALSE)
   ), locked AS MATERIALIZED (
     SELECT order_key, pg_advisory_xact_lock(hashtextextended(order_key, 0))
       FROM (SELECT DISTINCT order_key FROM failed WHERE order_key IS NOT NULL ORDER BY order_key) keys
   ), lined_up AS MATERIALIZED (
     SELECT id, nextval('job_order') AS position
       FROM (SELECT id FROM failed JOIN locked USING (order_key) ORDER BY order_position) in_order
   ), again AS (
     UPDATE job
        SET state = (CASE WHEN open > 0 THEN 'waiting' ELSE 'queued' END)::job_state,
            dispatch = dispatch + 1, attempt = 0, sequence = sequence + 1, run_at = now(), started_at = NULL,
            finished_at = NULL, cancel_requested = false, progress = 0, progress_note = NULL, open_children = open,
            order_position = lined_up.position
       FROM failed LEFT JOIN lined_up USING (id)
      WHERE job.id = failed.id
     RETURNING job.*
   ), dispatched AS (
     ${issueDispatch("again WHERE state = 'queued'")}
   ), recorded AS (
     ${recordState('again')}
   ), marked AS (
     UPDATE dead_letter SET redriven_at = now(), redriven_by = ${$.by}
      WHERE id IN (SELECT id FROM letters WHERE discarded_at IS NULL) AND job_id IN (SELECT id FROM again)
     RETURNING id, job_id
   ), audited AS (
     ${recordAction('dead_letter.redrive', $.by, 'id', "jsonb_build_object('jobId', job_id)", 'FROM marked')}
   )
   SELECT selected.id, selected.job_id AS "jobId",
          CASE WHEN again.id IS NOT NULL THEN 'redriven' WHEN selected.job_id IS NULL THEN 'unreadable'
               WHEN parents.is_broken THEN 'child_cancelled' ELSE 'not_failed' END AS becomes
     FROM selected
     LEFT JOIN again ON again.id = selected.job_id
     LEFT JOIN parents ON parents.id = selected.job_id`,
);
