import type { JobState } from '@app/contracts';
import { columnsOf, statement, type Database } from '../statement';
import type { ClaimedJob, Dispatch } from './claim';
import { deadLetterFailed, issueDispatch, ofAnyLength, recordEnds } from './sql-parts';

/** The error of a job that was cancelled while a worker ran it. */
export const cancelledWhileActive: JobError = { code: 'cancelled', message: 'The job was cancelled while it ran.' };

export interface JobError {
  readonly code: string;
  readonly message: string;
}

/** The next state of an active job. */
export interface Settlement extends Dispatch {
  readonly state: Extract<JobState, 'queued' | 'completed' | 'failed' | 'cancelled'>;
  /** Milliseconds until the next dispatch; for `queued` only. */
  readonly delayMs: number;
  /** -1 when the attempt does not count: snooze and hand-back. */
  readonly attemptChange: 0 | -1;
  readonly result: unknown;
  readonly error: JobError | undefined;
}

/** The state that a settlement gave its job. */
export type SettledState = Settlement['state'];

/**
 * Settles a batch of jobs: writes the state, a row of `job_update` and the event of a final job. Also writes one row by
 * state: the next outbox row for `queued`, the deduplication row for `completed`, the dead letter for `failed`. Changes
 * nothing for a dispatch that is not current, because its worker is fenced. If a cancel was requested, a job that would
 * be queued again is cancelled instead.
 */
const settleStatement = statement<Dispatch & { state: SettledState }>('settle').with(
  {
    id: 'uuid[]',
    dispatch: 'int[]',
    state: 'job_state[]',
    delayMs: 'bigint[]',
    attemptChange: 'smallint[]',
    result: 'text?[]',
    error: 'text?[]',
  },
  ($) => `WITH wanted AS (
     SELECT * FROM unnest(${ofAnyLength($.id, $.dispatch, $.state, $.delayMs, $.attemptChange, $.result, $.error)})
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
   ), deduped AS (
     INSERT INTO processed_message (consumer, message_id)
     SELECT kind, id FROM settled WHERE state = 'completed'
     ON CONFLICT DO NOTHING
   ), buried AS (
     ${deadLetterFailed("settled WHERE state = 'failed'")}
   ), ${recordEnds('settled')}
   SELECT id, settled_dispatch AS dispatch, state FROM settled`,
);

/** The state change after the claim ends an attempt. Only the sweep writes the code `lease_expired`. */
const settledStatement = statement<{ state: SettledState; isSwept: boolean }>('read_settled').with(
  { id: 'uuid', sequence: 'int' },
  ($) => `SELECT data->>'state' AS state, data->'error'->>'code' IS NOT DISTINCT FROM 'lease_expired' AS "isSwept"
     FROM job_update
    WHERE job_id = ${$.id} AND sequence > ${$.sequence} AND type = 'state'
    ORDER BY sequence
    LIMIT 1`,
);

/** @returns what this attempt was settled as; undefined when it was not settled: its lease expired, or it still runs */
export async function readSettled(
  database: Database,
  { id, sequence }: Pick<ClaimedJob, 'id' | 'sequence'>,
): Promise<SettledState | undefined> {
  const [ended] = await settledStatement.run(database, { id, sequence });
  return ended === undefined || ended.isSwept ? undefined : ended.state;
}

/** @returns for each settlement, in their order, the new state of its job; undefined when the dispatch was fenced */
export async function settle(
  database: Database,
  settlements: readonly Settlement[],
): Promise<(SettledState | undefined)[]> {
  const rows = await settleStatement.run(database, {
    ...columnsOf(settlements, 'id', 'dispatch', 'state', 'delayMs', 'attemptChange'),
    result: settlements.map(({ result }) => (result === undefined ? null : JSON.stringify(result))),
    error: settlements.map(({ error }) => error && JSON.stringify(error)),
  });
  const written = new Map(rows.map(({ id, dispatch, state }) => [`${id}-${dispatch}`, state]));
  return settlements.map(({ id, dispatch }) => written.get(`${id}-${dispatch}`));
}
