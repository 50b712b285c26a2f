import { finalStates, jobFinished } from '@app/contracts';

const final = finalStates.map((state) => `'${state}'`).join(', ');

/**
 * The SQL of arrays that `unnest` reads. The plan cannot depend on their length, so that PostgreSQL keeps one plan for
 * groups of all sizes.
 */
export const ofAnyLength = (...arrays: readonly string[]): string =>
  arrays.map((array) => `(SELECT ${array})`).join(', ');

/** The queues that an operator has paused, as an SQL array. */
export const pausedQueues = 'ARRAY(SELECT queue FROM queue_pause)';

/**
 * The SQL part that puts the current dispatch of jobs into the outbox.
 * @param jobs a CTE with the columns of `job`; with a condition where not all of its jobs are dispatched
 */
export function issueDispatch(jobs: string): string {
  return `INSERT INTO outbox (broker, queue, kind, version, job_id, dispatch, priority, publish_at, traceparent,
                         order_key, order_position)
     SELECT broker, queue, kind, version, id, dispatch, priority, run_at, traceparent, order_key, order_position
       FROM ${jobs}`;
}

/**
 * The SQL part that records new states of jobs as job updates.
 * @param jobs a CTE with the columns of `job` that are read here; with a condition where not all of its jobs have changed
 */
export function recordState(jobs: string): string {
  return `INSERT INTO job_update (tenant, job_id, sequence, type, data)
     SELECT tenant, id, sequence, 'state',
            CASE WHEN state IN ('active', 'completed') THEN jsonb_build_object('state', state, 'attempt', attempt)
                 ELSE jsonb_strip_nulls(jsonb_build_object('state', state, 'attempt', attempt, 'error', error,
                        'runAt', CASE WHEN state IN ('waiting', 'queued') THEN run_at END)) END
       FROM ${jobs}`;
}

/**
 * The SQL part that writes dead letters for failed jobs.
 * @param jobs a CTE with the columns of `job`; with a condition where not all of its jobs have failed
 */
export function deadLetterFailed(jobs: string): string {
  return `INSERT INTO dead_letter (broker, queue, job_id, tenant, kind, reason, detail)
     SELECT broker, queue, id, tenant, kind, error->>'code', error->>'message' FROM ${jobs}`;
}

/**
 * The SQL part that writes a `job.finished` event for each final job whose kind is announced.
 * @param jobs a CTE with the columns of `job`; jobs that are not final are skipped
 */
function recordJobFinished(jobs: string): string {
  return `INSERT INTO event_outbox (kind, version, tenant, key, traceparent, data)
     SELECT '${jobFinished.kind}', ${jobFinished.version}, tenant, id::text, traceparent,
            jsonb_build_object('id', id, 'kind', kind, 'state', state, 'attempt', attempt, 'error', error,
              'finishedAt', to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
       FROM ${jobs}
      WHERE state IN (${final}) AND announced`;
}

/**
 * Further CTEs for a statement that ends jobs: they record the new states, announce the jobs that are final, and update
 * their parents.
 * @param ended a CTE with the columns of `job`
 * @param children the jobs among them whose parents are updated, as an item of a FROM
 */
export function recordEnds(ended: string, children = ended): string {
  return `recorded AS (
     ${recordState(ended)}
   ), announced AS (
     ${recordJobFinished(ended)}
   ), ${updateParents(children)}`;
}

/**
 * CTEs that update the parents that wait for these jobs. The last child to complete queues its parent; a failed or
 * cancelled child fails it. A parent has a larger id than its children and is locked after them, so statements that lock
 * in the order of ids cannot deadlock.
 * @param ended a CTE with the columns of `job`
 */
function updateParents(ended: string): string {
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
