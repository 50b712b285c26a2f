import { columnsOf, statement, type Database } from '../statement';
import type { Dispatch } from './claim';

const renewStatement = statement<Dispatch & { cancelRequested: boolean }>('renew_leases').with(
  { id: 'uuid[]', dispatch: 'int[]', leaseMs: 'int' },
  ($) => `WITH held AS (
     SELECT * FROM unnest(${$.id}, ${$.dispatch}) AS held(id, dispatch)
   ), free AS (
     SELECT job.id
       FROM job JOIN held ON held.id = job.id
      WHERE job.dispatch = held.dispatch AND job.state = 'active'
      ORDER BY job.id
        FOR UPDATE OF job SKIP LOCKED
   ), renewed AS (
     UPDATE job SET lease_until = now() + ${$.leaseMs} * interval '1 millisecond'
       FROM free
      WHERE job.id = free.id
   )
   SELECT job.id, job.dispatch, cancel_requested AS "cancelRequested"
     FROM job JOIN held ON held.id = job.id
    WHERE job.dispatch = held.dispatch AND job.state = 'active'`,
);

/**
 * Renews all leases of a process at once. Skips a job whose row another transaction holds: waiting for it would delay
 * all other renewals.
 * @param leaseMs the new lease in milliseconds, by the database's clock
 * @returns the dispatches that the process still owns, renewed or skipped; it has lost the others
 */
export async function renewLeases(
  database: Database,
  held: readonly Dispatch[],
  leaseMs: number,
): Promise<(Dispatch & { cancelRequested: boolean })[]> {
  return renewStatement.run(database, { ...columnsOf(held, 'id', 'dispatch'), leaseMs });
}
