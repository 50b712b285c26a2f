import type { JobState } from '@app/contracts';
import { statement, type Database } from '../statement';

export interface JobCount {
  readonly kind: string;
  readonly state: JobState;
  readonly count: number;
}

const countStatement = statement<JobCount>('count_jobs').with(
  { tenant: 'text?', from: 'uuid', until: 'uuid' },
  ($) => `SELECT kind, state, count(*)::int AS count FROM job
    WHERE (${$.tenant} IS NULL OR tenant = ${$.tenant}) AND id >= ${$.from} AND id < ${$.until}
    GROUP BY kind, state ORDER BY kind, state`,
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
  return countStatement.run(database, { tenant, from: firstIdOf(from), until: firstIdOf(until) });
}

function firstIdOf(moment: Date): string {
  const ms = moment.getTime().toString(16).padStart(12, '0');
  return `${ms.slice(0, 8)}-${ms.slice(8)}-7000-8000-000000000000`;
}
