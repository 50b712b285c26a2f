import { finalStates, jobFinished } from '@app/contracts';

const final = finalStates.map((state) => `'${state}'`).join(', ');

/**
 * The SQL part that writes a `job.finished` event for each final job whose kind is announced.
 * @param jobs a CTE with the columns of `job`; jobs that are not final are skipped
 */
export function recordJobFinished(jobs: string): string {
  return `INSERT INTO event_outbox (kind, version, tenant, key, traceparent, data)
     SELECT '${jobFinished.kind}', ${jobFinished.version}, tenant, id::text, traceparent,
            jsonb_build_object('id', id, 'kind', kind, 'state', state, 'attempt', attempt, 'error', error,
              'finishedAt', to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
       FROM ${jobs}
      WHERE state IN (${final}) AND announced`;
}
