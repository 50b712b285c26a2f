import { toStorable } from '@app/contracts';
import { statement, type Database } from '../statement';
import { deadLetterFailed, recordEnds } from './sql-parts';
import type { Dispatch } from './claim';

/** An outbox row whose message the broker refuses for good. */
export interface RefusedDispatch extends Dispatch {
  /** The id of the outbox row. */
  readonly rowId: string;
  readonly reason: string;
}

/**
 * queued -> failed, and deletes the outbox row. Skips a job whose row another transaction has locked, and keeps its outbox
 * row for the next try. To wait could be a deadlock: a cancel locks the job and then waits for the outbox row, which this
 * transaction has locked.
 */
const failStatement = statement<{ id: string }>('fail_refused').with(
  { rowIds: 'bigint[]', ids: 'uuid[]', dispatches: 'int[]', errors: 'text[]' },
  ($) => `WITH refused AS (
     SELECT * FROM unnest(${$.rowIds}, ${$.ids}, ${$.dispatches}, ${$.errors}) AS refused(row_id, id, dispatch, error)
   ), held AS (
     SELECT job.id, refused.error
       FROM job JOIN refused ON refused.id = job.id
      WHERE job.dispatch = refused.dispatch AND job.state = 'queued'
      ORDER BY job.id
        FOR UPDATE OF job SKIP LOCKED
   ), failed AS (
     UPDATE job
        SET state = 'failed', sequence = sequence + 1, finished_at = now(), error = held.error::jsonb
       FROM held
      WHERE job.id = held.id
     RETURNING job.*
   ), removed AS (
     DELETE FROM outbox USING refused
      WHERE outbox.id = refused.row_id AND (
              refused.id IN (SELECT id FROM held)
              OR NOT EXISTS (SELECT FROM job
                              WHERE job.id = refused.id AND job.dispatch = refused.dispatch AND job.state = 'queued'))
   ), buried AS (
     ${deadLetterFailed('failed')}
   ), ${recordEnds('failed')}
   SELECT id FROM failed`,
);

/** Fails the jobs with the code `message_refused` and dead-letters them. Runs in the transaction that took the rows. */
export async function failRefused(transaction: Database, refused: readonly RefusedDispatch[]): Promise<void> {
  await failStatement.run(transaction, {
    rowIds: refused.map(({ rowId }) => rowId),
    ids: refused.map(({ id }) => id),
    dispatches: refused.map(({ dispatch }) => dispatch),
    errors: refused.map(({ reason }) => JSON.stringify({ code: 'message_refused', message: toStorable(reason) })),
  });
}
