/**
 * The SQL part that records new states of jobs as job updates.
 * @param jobs a CTE with the columns of `job`; with a condition where not all of its jobs have changed
 */
export function recordState(jobs: string): string {
  return `INSERT INTO job_update (tenant, job_id, sequence, type, data)
     SELECT tenant, id, sequence, 'state',
            jsonb_strip_nulls(jsonb_build_object('state', state, 'attempt', attempt,
              'error', CASE WHEN state <> 'active' THEN error END,
              'runAt', CASE WHEN state IN ('waiting', 'queued') THEN run_at END))
       FROM ${jobs}`;
}
