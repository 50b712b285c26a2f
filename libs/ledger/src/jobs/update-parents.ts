import { issueDispatch } from '../outbox/issue-dispatch';
import { recordJobFinished } from './record-job-finished';
import { deadLetterFailed } from './dead-letter-failed';
import { recordState } from './record-state';

/**
 * Further CTEs for a statement that ends jobs: they update the parents that wait for these jobs. The last child to
 * complete queues its parent; a failed or cancelled child fails it. A parent has a larger id than its children and is
 * locked after them, so statements that lock in the order of ids cannot deadlock.
 * @param ended a CTE with the columns of `job`
 */
export function updateParents(ended: string): string {
  return `ended_children AS (
     SELECT parent_id,
            (count(*) FILTER (WHERE state = 'completed'))::int AS completed,
            min(kind || ' ' || id || ' ' || state) FILTER (WHERE state <> 'completed') AS broken
       FROM ${ended}
      WHERE parent_id IS NOT NULL AND state IN ('completed', 'failed', 'cancelled')
      GROUP BY parent_id
   ), waiting_parents AS (
     SELECT job.id, completed, broken
       FROM job JOIN ended_children ON ended_children.parent_id = job.id
      WHERE job.state = 'waiting'
      ORDER BY job.id
        FOR UPDATE OF job
   ), parents AS (
     UPDATE job
        SET open_children = open_children - completed,
            state = (CASE WHEN broken IS NOT NULL THEN 'failed' WHEN open_children = completed THEN 'queued'
                          ELSE 'waiting' END)::job_state,
            sequence = sequence + (broken IS NOT NULL OR open_children = completed)::int,
            run_at = greatest(run_at, now()),
            finished_at = CASE WHEN broken IS NOT NULL THEN now() END,
            error = CASE WHEN broken IS NOT NULL
                         THEN jsonb_build_object('code', 'child_failed', 'message', 'A job it waits for has not completed: ' || broken || '.') END
       FROM waiting_parents
      WHERE job.id = waiting_parents.id
     RETURNING job.*
   ), parents_dispatched AS (
     ${issueDispatch("parents WHERE state = 'queued'")}
   ), parents_recorded AS (
     ${recordState("parents WHERE state <> 'waiting'")}
   ), parents_buried AS (
     ${deadLetterFailed("parents WHERE state = 'failed'")}
   ), parents_announced AS (
     ${recordJobFinished('parents')}
   )`;
}
