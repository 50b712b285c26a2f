import { issueDispatch } from '../outbox/issue-dispatch';
import { Statement, type Database } from '../statement';

export interface SweptJob {
  readonly id: string;
  readonly kind: string;
  readonly state: 'queued' | 'failed';
  readonly attempt: number;
}

/**
 * Jobs whose worker has gone silent. One that has attempts left goes back into the outbox under the next
 * dispatch, which fences the silent worker off should it wake. One that has none left, because it takes its
 * worker down each time, is a dead letter.
 */
const sweepStatement = new Statement<SweptJob>(
  'sweep',
  `WITH expired AS (
     SELECT id FROM job
      WHERE state = 'active' AND lease_until < now()
      ORDER BY id
      LIMIT 500
        FOR UPDATE SKIP LOCKED
   ), swept AS (
     UPDATE job
        SET state = (CASE WHEN attempt < max_attempts THEN 'queued' ELSE 'failed' END)::job_state,
            dispatch = dispatch + 1,
            sequence = sequence + 1,
            run_at = now(),
            lease_until = NULL,
            finished_at = CASE WHEN attempt < max_attempts THEN NULL ELSE now() END,
            error = jsonb_build_object('code', 'lease_expired',
              'message', 'The worker of attempt ' || attempt || ' fell silent: it died, or was cut off, before it settled.')
       FROM expired
      WHERE job.id = expired.id
     RETURNING job.*
   ), dispatched AS (
     ${issueDispatch("swept WHERE state = 'queued'")}
   ), recorded AS (
     INSERT INTO job_event (job_id, sequence, type, data)
     SELECT id, sequence, 'state', jsonb_build_object('state', state, 'attempt', attempt, 'error', error) FROM swept
   ), set_aside AS (
     INSERT INTO dead_letter (broker, queue, job_id, tenant, kind, reason, detail)
     SELECT broker, queue, id, tenant, kind, error->>'code', error->>'message' FROM swept WHERE state = 'failed'
   )
   SELECT id, kind, state, attempt FROM swept`,
);

export async function sweepExpiredLeases(database: Database): Promise<SweptJob[]> {
  return sweepStatement.run(database);
}
