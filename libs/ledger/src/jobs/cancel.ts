import type { JobState } from '@app/contracts';
import { statement, type Database } from '../statement';
import { recordEnds } from './sql-parts';

/**
 * Cancels a waiting or queued job and deletes its outbox row. Requests the cancellation of an active one. Does the same
 * for the open children of a parent. Locks children before their parent, like every statement here.
 */
const cancelStatement = statement<{ id: string; was: JobState }>('cancel').with(
  { id: 'uuid', tenant: 'text?' },
  ($) => `WITH family AS (
     SELECT id, state AS was
       FROM job
      WHERE (id = ${$.id} OR parent_id = ${$.id}) AND (${$.tenant} IS NULL OR tenant = ${$.tenant})
      ORDER BY id
        FOR UPDATE
   ), target AS (
     SELECT was FROM family WHERE id = ${$.id}
   ), cancelled AS (
     UPDATE job
        SET state = 'cancelled', sequence = sequence + 1, finished_at = now(),
            error = '{"code": "cancelled", "message": "The job was cancelled before it ran."}'
       FROM family
      WHERE job.id = family.id AND was IN ('waiting', 'queued')
        AND (SELECT was FROM target) IN ('waiting', 'queued', 'active')
     RETURNING job.*
   ), requested AS (
     UPDATE job
        SET cancel_requested = true
       FROM family
      WHERE job.id = family.id AND was = 'active'
        AND (SELECT was FROM target) IN ('waiting', 'queued', 'active')
   ), withdrawn AS (
     DELETE FROM outbox USING cancelled WHERE outbox.job_id = cancelled.id
   ), ${recordEnds('cancelled', `(SELECT * FROM cancelled WHERE id = ${$.id}) alone`)}
   SELECT ${$.id} AS id, was FROM target`,
);

/**
 * Cancels a job.
 * @param tenant undefined: a job of any tenant, for operators
 * @returns the state in which the job was found; undefined when there is no such job. A final state does not change
 */
export async function cancelJob(
  database: Database,
  tenant: string | undefined,
  id: string,
): Promise<JobState | undefined> {
  const [row] = await cancelStatement.run(database, { id, tenant });
  return row?.was;
}
