import { finalStates, jobFinished } from '@app/contracts';
import { jobDefinitions } from '@app/features/catalogue';

const silentKinds = jobDefinitions.filter(({ announced }) => !announced).map(({ kind }) => kind);

const listOf = (values: readonly string[]): string => values.map((value) => `'${value}'`).join(', ');

/**
 * The part of a statement that tells of jobs that have come to their end.
 * @param jobs a CTE with the columns of `job`; those that go on are left out
 */
export function recordJobFinished(jobs: string): string {
  return `INSERT INTO event_outbox (kind, version, tenant, key, traceparent, data)
     SELECT '${jobFinished.kind}', ${jobFinished.version}, tenant, id::text, traceparent,
            jsonb_build_object('id', id, 'kind', kind, 'state', state, 'attempt', attempt, 'error', error,
              'finishedAt', to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
       FROM ${jobs}
      WHERE state IN (${listOf(finalStates)})${silentKinds.length > 0 ? ` AND kind NOT IN (${listOf(silentKinds)})` : ''}`;
}
