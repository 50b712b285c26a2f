import type { JobState } from '@app/contracts';
import { statement, type Database } from '../statement';
import { recordEnds } from './sql-parts';

/**
 * Cancels waiting and queued jobs and deletes their outbox rows. Requests the cancellation of active ones. Does the same
 * for the open children of a parent. Locks children before their parent, like every statement here.
 */
const cancelStatement = statement<{ id: string; was: JobState }>('cancel').with(
  { ids: 'uuid[]', tenant: 'text?' },
  ($) => `WITH family AS (
     SELECT id, parent_id, state AS was
       FROM job
      WHERE (id = ANY (${$.ids}) OR parent_id = ANY (${$.ids})) AND (${$.tenant} IS NULL OR tenant = ${$.tenant})
      ORDER BY id
        FOR UPDATE
   ), target AS (
     SELECT id, was FROM family WHERE id = ANY (${$.ids})
   ), chosen AS (
     SELECT id, was FROM family
      WHERE id IN (SELECT id FROM target)
         OR parent_id IN (SELECT id FROM target WHERE was IN ('waiting', 'queued', 'active'))
   ), cancelled AS (
     UPDATE job
        SET state = 'cancelled', sequence = sequence + 1, finished_at = now(),
            error = '{"code": "cancelled", "message": "The job was cancelled before it ran."}'
       FROM chosen
      WHERE job.id = chosen.id AND was IN ('waiting', 'queued')
     RETURNING job.*
   ), requested AS (
     UPDATE job SET cancel_requested = true FROM chosen WHERE job.id = chosen.id AND was = 'active'
   ), withdrawn AS (
     DELETE FROM outbox USING cancelled WHERE outbox.job_id = cancelled.id
   ), ${recordEnds('cancelled', '(SELECT * FROM cancelled WHERE parent_id IS NULL OR parent_id NOT IN (SELECT id FROM target)) others')}
   SELECT id, was FROM target`,
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
  const [row] = await cancelStatement.run(database, { ids: [id], tenant });
  return row?.was;
}

/** Cancels jobs of one tenant, as `cancelJob` does each. */
export async function cancelOpenJobs(database: Database, ids: readonly string[], tenant: string): Promise<void> {
  await cancelStatement.run(database, { ids, tenant });
}

/** How many jobs one call of `purgeQueue` cancels at most, beside their children. */
const purgedAtOnce = 500;

const openStatement = statement<{ id: string }>('queue_open_jobs').with(
  { queue: 'text', kinds: 'text[]' },
  ($) => `SELECT id FROM job
    WHERE state IN ('waiting', 'queued') AND kind = ANY (${$.kinds}) AND queue = ${$.queue}
    LIMIT ${purgedAtOnce}`,
);

/**
 * Cancels jobs of a queue that wait or are queued, also between two attempts, of every tenant. Attempts that run go on.
 * @param kinds the kinds of jobs of the queue, by which the index finds them
 * @returns how many; 0 when none is left
 */
export async function purgeQueue(database: Database, queue: string, kinds: readonly string[]): Promise<number> {
  const ids = (await openStatement.run(database, { queue, kinds })).map(({ id }) => id);
  if (ids.length === 0) return 0;
  const targets = await cancelStatement.run(database, { ids, tenant: undefined });
  return targets.filter(({ was }) => was === 'waiting' || was === 'queued').length;
}
