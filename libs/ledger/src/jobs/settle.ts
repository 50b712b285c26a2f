import type { JobState } from '@app/contracts';
import { issueDispatch } from '../outbox/issue-dispatch';
import { Statement, type Database } from '../statement';
import { recordJobFinished } from './record-job-finished';
import { deadLetterFailed } from './dead-letter-failed';
import type { ClaimedJob, Dispatch } from './claim';
import { recordState } from './record-state';
import { updateParents } from './update-parents';

/** Of a job that was asked to end while a worker had it. */
export const cancelledWhileActive: JobError = { code: 'cancelled', message: 'The job was cancelled while it ran.' };

export interface JobError {
  readonly code: string;
  readonly message: string;
}

/** What becomes of an active job. */
export interface Settlement extends Dispatch {
  readonly state: Extract<JobState, 'queued' | 'completed' | 'failed' | 'cancelled'>;
  /** Until the next dispatch; for `queued` only. */
  readonly delayMs: number;
  /** -1 where the attempt does not count: snooze and hand-back. */
  readonly attemptChange: 0 | -1;
  readonly result: unknown;
  readonly error: JobError | undefined;
}

/** What a settlement has made of its job. */
export type SettledState = Settlement['state'];

/**
 * State, event and, where the job goes on, the next outbox row; for a completed one its row in the dedupe table,
 * for a failed one its dead letter. Guarded by the dispatch: a worker that lost its lease changes nothing.
 * A job that would go on although somebody has asked for its end, ends.
 */
const settleStatement = new Statement<Dispatch & { state: SettledState }>(
  'settle',
  `WITH wanted AS (
     SELECT * FROM unnest($1::uuid[], $2::int[], $3::job_state[], $4::bigint[], $5::smallint[], $6::text[], $7::text[])
         AS wanted(id, dispatch, state, delay_ms, attempt_change, result, error)
   ), held AS (
     SELECT job.id, wanted.delay_ms, wanted.attempt_change, wanted.result,
            CASE WHEN wanted.state = 'queued' AND job.cancel_requested THEN 'cancelled' ELSE wanted.state END AS state,
            CASE WHEN wanted.state = 'queued' AND job.cancel_requested THEN '${JSON.stringify(cancelledWhileActive)}'
                 ELSE wanted.error END AS error
       FROM job JOIN wanted ON wanted.id = job.id
      WHERE job.dispatch = wanted.dispatch AND job.state = 'active'
      ORDER BY job.id
        FOR UPDATE OF job
   ), settled AS (
     UPDATE job
        SET state = held.state,
            dispatch = dispatch + (held.state = 'queued')::int,
            attempt = attempt + held.attempt_change,
            sequence = sequence + 1,
            run_at = CASE WHEN held.state = 'queued' THEN now() + held.delay_ms * interval '1 millisecond' ELSE run_at END,
            finished_at = CASE WHEN held.state = 'queued' THEN NULL ELSE now() END,
            lease_until = NULL,
            progress = CASE WHEN held.state = 'completed' THEN 100 ELSE progress END,
            result = held.result::jsonb,
            error = held.error::jsonb
       FROM held
      WHERE job.id = held.id
     RETURNING job.*, dispatch - (job.state = 'queued')::int AS settled_dispatch
   ), dispatched AS (
     ${issueDispatch("settled WHERE state = 'queued'")}
   ), recorded AS (
     ${recordState('settled')}
   ), deduped AS (
     INSERT INTO processed_message (consumer, message_id)
     SELECT kind, id FROM settled WHERE state = 'completed'
     ON CONFLICT DO NOTHING
   ), buried AS (
     ${deadLetterFailed("settled WHERE state = 'failed'")}
   ), announced AS (
     ${recordJobFinished('settled')}
   ), ${updateParents('settled')}
   SELECT id, settled_dispatch AS dispatch, state FROM settled`,
);

/** What has ended an attempt is the next state after its claim; the sweeper is the only one that says `lease_expired`. */
const settledStatement = new Statement<{ state: SettledState; isSwept: boolean }>(
  'read_settled',
  `SELECT data->>'state' AS state, data->'error'->>'code' IS NOT DISTINCT FROM 'lease_expired' AS "isSwept"
     FROM job_event
    WHERE job_id = $1::uuid AND sequence > $2::int AND type = 'state'
    ORDER BY sequence
    LIMIT 1`,
);

/** @returns what this attempt was settled as; undefined when it was not settled: its lease ran out, or it still runs */
export async function readSettled(
  database: Database,
  { id, sequence }: Pick<ClaimedJob, 'id' | 'sequence'>,
): Promise<SettledState | undefined> {
  const [ended] = await settledStatement.run(database, id, sequence);
  return ended === undefined || ended.isSwept ? undefined : ended.state;
}

/** @returns for each settlement what its job has become; undefined means that the dispatch was fenced off */
export async function settle(
  database: Database,
  settlements: readonly Settlement[],
): Promise<(SettledState | undefined)[]> {
  const rows = await settleStatement.run(
    database,
    settlements.map(({ id }) => id),
    settlements.map(({ dispatch }) => dispatch),
    settlements.map(({ state }) => state),
    settlements.map(({ delayMs }) => delayMs),
    settlements.map(({ attemptChange }) => attemptChange),
    settlements.map(({ result }) => (result === undefined ? null : JSON.stringify(result))),
    settlements.map(({ error }) => (error === undefined ? null : JSON.stringify(error))),
  );
  const written = new Map(rows.map(({ id, dispatch, state }) => [`${id}-${dispatch}`, state]));
  return settlements.map(({ id, dispatch }) => written.get(`${id}-${dispatch}`));
}
