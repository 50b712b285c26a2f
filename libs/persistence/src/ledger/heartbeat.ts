import { Statement, type Database } from '../statement';
import type { Dispatch } from './claim';

const renewStatement = new Statement<Dispatch & { cancelRequested: boolean }>(
  'renew_leases',
  `WITH held AS (
     SELECT job.id
       FROM job JOIN unnest($1::uuid[], $2::int[]) AS held(id, dispatch) ON held.id = job.id
      WHERE job.dispatch = held.dispatch AND job.state = 'active'
      ORDER BY job.id
        FOR UPDATE OF job
   )
   UPDATE job SET lease_until = now() + $3::int * interval '1 millisecond'
     FROM held
    WHERE job.id = held.id
   RETURNING job.id, dispatch, cancel_requested AS "cancelRequested"`,
);

/** Renews all leases of a process at once. @returns those it still has; the others were given to somebody else */
export async function renewLeases(
  database: Database,
  held: readonly Dispatch[],
  leaseMs: number,
): Promise<(Dispatch & { cancelRequested: boolean })[]> {
  return renewStatement.run(
    database,
    held.map(({ id }) => id),
    held.map(({ dispatch }) => dispatch),
    leaseMs,
  );
}
