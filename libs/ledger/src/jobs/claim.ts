import { Statement, type Database } from '../statement';
import { recordState } from './record-state';

/** "Try job X, dispatch N, now": all that a broker message says. */
export interface Dispatch {
  readonly id: string;
  readonly dispatch: number;
}

/** A job whose lease this process now holds. */
export interface ClaimedJob extends Dispatch {
  readonly tenant: string;
  readonly kind: string;
  readonly version: number;
  readonly queue: string;
  readonly attempt: number;
  /** Of the change from `queued` to `active`, among the changes of the job. */
  readonly sequence: number;
  readonly maxAttempts: number;
  readonly createdAt: Date;
  readonly payload: unknown;
  readonly traceparent: string | null;
  /** A parent, or the next job of its key: the end of this job lets another one go. */
  readonly othersWait: boolean;
}

/**
 * queued -> active, for the dispatch that is current; the losers of a race find it taken when the row's lock
 * is theirs. Rows are locked in the order of their ids, so that two groups never wait for each other.
 */
const claimStatement = new Statement<ClaimedJob>(
  'claim',
  `WITH wanted AS (
     SELECT * FROM unnest($1::uuid[], $2::int[]) AS wanted(id, dispatch)
   ), free AS (
     SELECT job.id
       FROM job JOIN wanted ON wanted.id = job.id
      WHERE job.dispatch = wanted.dispatch AND job.state = 'queued'
      ORDER BY job.id
        FOR UPDATE OF job
   ), claimed AS (
     UPDATE job
        SET state = 'active', attempt = attempt + 1, sequence = sequence + 1,
            lease_until = now() + $3::int * interval '1 millisecond', started_at = now()
       FROM free
      WHERE job.id = free.id
     RETURNING job.*
   ), recorded AS (
     ${recordState('claimed')}
   )
   SELECT id, dispatch, tenant, kind, version, queue, attempt, sequence, max_attempts AS "maxAttempts",
          created_at AS "createdAt", payload, traceparent,
          parent_id IS NOT NULL OR order_key IS NOT NULL AS "othersWait"
     FROM claimed`,
);

/** @returns for each dispatch the job, or undefined where it is stale: done, taken, cancelled or dispatched anew */
export async function claim(
  database: Database,
  dispatches: readonly Dispatch[],
  leaseMs: number,
): Promise<(ClaimedJob | undefined)[]> {
  const rows = await claimStatement.run(
    database,
    dispatches.map(({ id }) => id),
    dispatches.map(({ dispatch }) => dispatch),
    leaseMs,
  );
  const jobs = new Map(rows.map((row) => [row.id, row]));
  return dispatches.map(({ id, dispatch }) => {
    const job = jobs.get(id);
    if (job?.dispatch !== dispatch) return undefined;
    jobs.delete(id); // The same message twice in one group: only the first has it.
    return job;
  });
}
