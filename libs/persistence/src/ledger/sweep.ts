import { issueDispatch } from '../outbox/issue-dispatch';
import { Statement, type Database } from '../statement';
import { announceFinished } from './announce-finished';
import { bury } from './bury';
import { recordState } from './record-state';
import { tellParents } from './tell-parents';

export interface SweptJob {
  readonly id: string;
  readonly kind: string;
  readonly state: 'queued' | 'failed' | 'cancelled';
  readonly attempt: number;
}

/**
 * Jobs whose worker has gone silent. One that has attempts left goes back into the outbox under the next
 * dispatch, which fences the silent worker off should it wake. One that has none left, because it takes its
 * worker down each time, is a dead letter; one that was asked to end, ends.
 */
const sweepStatement = new Statement<SweptJob>(
  'sweep',
  `WITH expired AS (
     SELECT id, (CASE WHEN cancel_requested THEN 'cancelled' WHEN attempt < max_attempts THEN 'queued'
                      ELSE 'failed' END)::job_state AS becomes
       FROM job
      WHERE state = 'active' AND lease_until < now()
      ORDER BY id
      LIMIT 500
        FOR UPDATE SKIP LOCKED
   ), swept AS (
     UPDATE job
        SET state = becomes,
            dispatch = dispatch + 1,
            sequence = sequence + 1,
            run_at = now(),
            lease_until = NULL,
            finished_at = CASE WHEN becomes = 'queued' THEN NULL ELSE now() END,
            error = jsonb_build_object('code', 'lease_expired',
              'message', 'The worker of attempt ' || attempt || ' fell silent: it died, or was cut off, before it settled.')
       FROM expired
      WHERE job.id = expired.id
     RETURNING job.*
   ), dispatched AS (
     ${issueDispatch("swept WHERE state = 'queued'")}
   ), recorded AS (
     ${recordState('swept')}
   ), buried AS (
     ${bury("swept WHERE state = 'failed'")}
   ), announced AS (
     ${announceFinished('swept')}
   ), ${tellParents('swept')}
   SELECT id, kind, state, attempt FROM swept`,
);

export async function sweepExpiredLeases(database: Database): Promise<SweptJob[]> {
  return sweepStatement.run(database);
}
