/**
 * The part of a statement that makes dead letters of failed jobs.
 * @param jobs a CTE with the columns of `job`, and the condition that they have failed
 */
export function deadLetterFailed(jobs: string): string {
  return `INSERT INTO dead_letter (broker, queue, job_id, tenant, kind, reason, detail)
     SELECT broker, queue, id, tenant, kind, error->>'code', error->>'message' FROM ${jobs}`;
}
