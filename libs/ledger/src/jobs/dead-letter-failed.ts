/**
 * The SQL part that writes dead letters for failed jobs.
 * @param jobs a CTE with the columns of `job`; with a condition where not all of its jobs have failed
 */
export function deadLetterFailed(jobs: string): string {
  return `INSERT INTO dead_letter (broker, queue, job_id, tenant, kind, reason, detail)
     SELECT broker, queue, id, tenant, kind, error->>'code', error->>'message' FROM ${jobs}`;
}
