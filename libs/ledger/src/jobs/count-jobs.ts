import type { JobState } from '@app/contracts';
import { Statement, type Database } from '../statement';

export interface JobCount {
  readonly kind: string;
  readonly state: JobState;
  readonly count: number;
}

const countStatement = new Statement<JobCount>(
  'count_jobs',
  `SELECT kind, state, count(*)::int AS count FROM job
    WHERE ($1::text IS NULL OR tenant = $1) AND id >= $2 AND id < $3 GROUP BY kind, state ORDER BY kind, state`,
);

/**
 * Counts jobs by kind and state that were accepted from `from` (inclusive) to `until` (exclusive), by the time in their
 * ids (UUIDv7, RFC 9562).
 * @param tenant undefined: of all tenants, for operators only
 */
export async function countJobs(
  database: Database,
  tenant: string | undefined,
  from: Date,
  until: Date,
): Promise<JobCount[]> {
  return countStatement.run(database, tenant ?? null, firstIdOf(from), firstIdOf(until));
}

function firstIdOf(moment: Date): string {
  const ms = moment.getTime().toString(16).padStart(12, '0');
  return `${ms.slice(0, 8)}-${ms.slice(8)}-7000-8000-000000000000`;
}
