import { columnsOf, statement, type Database } from '../statement';
import { issueDispatch, ofAnyLength, pausedQueues, recordState } from './sql-parts';

/** "Try job X, dispatch N, now": the content of a broker message. */
export interface Dispatch {
  readonly id: string;
  readonly dispatch: number;
}

/** A job whose lease this process holds. */
export interface ClaimedJob extends Dispatch {
  readonly tenant: string;
  readonly kind: string;
  readonly version: number;
  readonly queue: string;
  readonly broker: string;
  readonly attempt: number;
  /** The sequence of the change from `queued` to `active`, among the changes of the job. */
  readonly sequence: number;
  readonly maxAttempts: number;
  readonly createdAt: Date;
  /** When this attempt was due. */
  readonly runAt: Date;
  /** When this attempt began. All three times are of the database's clock. */
  readonly startedAt: Date;
  readonly payload: unknown;
  readonly traceparent: string | null;
  /** Whether a parent, or the next job of the same order key, may wait for the end of this job. */
  readonly othersWait: boolean;
  /** Whether no worker has claimed the job before. A redrive clears `started_at`, and keeps the error. */
  readonly isFirst: boolean;
}

/**
 * queued -> active, for the current dispatch. A job of a paused queue returns to the outbox, for another dispatch. A
 * concurrent claim of the same job waits for the row's lock and then finds the job taken. Rows are locked in the order
 * of their ids, so that two groups never deadlock.
 */
const claimStatement = statement<ClaimedJob>('claim').with(
  { id: 'uuid[]', dispatch: 'int[]', leaseMs: 'int' },
  ($) => `WITH wanted AS (
     SELECT * FROM unnest(${ofAnyLength($.id, $.dispatch)}) AS wanted(id, dispatch)
   ), free AS (
     SELECT job.id, job.queue = ANY (${pausedQueues}) AS is_paused, job.started_at IS NULL AND job.error IS NULL AS is_first
       FROM job JOIN wanted ON wanted.id = job.id
      WHERE job.dispatch = wanted.dispatch AND job.state = 'queued'
      ORDER BY job.id
        FOR UPDATE OF job
   ), claimed AS (
     UPDATE job
        SET state = 'active', attempt = attempt + 1, sequence = sequence + 1,
            lease_until = now() + ${$.leaseMs} * interval '1 millisecond', started_at = now()
       FROM free
      WHERE job.id = free.id AND NOT is_paused
     RETURNING job.id, job.dispatch, tenant, kind, version, queue, broker, state, attempt, sequence, max_attempts,
               created_at, run_at, started_at, payload, traceparent, parent_id, order_key, error, is_first
   ), returned AS (
     UPDATE job SET dispatch = dispatch + 1 FROM free WHERE job.id = free.id AND is_paused
     RETURNING job.*
   ), dispatched AS (
     ${issueDispatch('returned')}
   ), recorded AS (
     ${recordState('claimed')}
   )
   SELECT id, dispatch, tenant, kind, version, queue, broker, attempt, sequence, max_attempts AS "maxAttempts",
          created_at AS "createdAt", run_at AS "runAt", started_at AS "startedAt", payload, traceparent,
          parent_id IS NOT NULL OR order_key IS NOT NULL AS "othersWait", is_first AS "isFirst"
     FROM claimed`,
);

/**
 * Claims jobs and gives each a lease.
 * @param leaseMs the lease in milliseconds, by the database's clock
 * @returns for each dispatch, in their order, its job; undefined when the dispatch is stale: the job is final, claimed
 *   or dispatched again, or its queue is paused
 */
export async function claim(
  database: Database,
  dispatches: readonly Dispatch[],
  leaseMs: number,
): Promise<(ClaimedJob | undefined)[]> {
  const rows = await claimStatement.run(database, { ...columnsOf(dispatches, 'id', 'dispatch'), leaseMs });
  const jobs = new Map(rows.map((row) => [row.id, row]));
  return dispatches.map(({ id, dispatch }) => {
    const job = jobs.get(id);
    if (job?.dispatch !== dispatch) return undefined;
    jobs.delete(id); // When one group holds the same message twice, only the first gets the job.
    return job;
  });
}
