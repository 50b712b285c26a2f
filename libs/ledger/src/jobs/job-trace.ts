import type { JobState, ShownState } from '@app/contracts';
import { statement, type Database } from '../statement';
import { isFinal, shownUpdate, type StateData } from './job-updates';
import type { JobError } from './settle';

/** A state in which a job was, or is. */
export interface JobSpan {
  readonly state: ShownState;
  readonly attempt: number;
  readonly from: Date;
  /** Null while the job is in this state. */
  readonly until: Date | null;
  /** Why the attempt that ended this state has failed. */
  readonly error: JobError | null;
}

export interface JobTrace {
  /** 32 hexadecimal digits; null for a job that no request has made. */
  readonly traceId: string | null;
  /** The last 200, oldest first. The final state has no span. */
  readonly spans: readonly JobSpan[];
}

interface Row {
  readonly traceparent: string | null;
  readonly data: StateData<JobState>;
  readonly at: Date;
}

const traceStatement = statement<Row>('read_job_trace').with(
  { tenant: 'text', id: 'uuid' },
  ($) => `SELECT traceparent, data, at
    FROM job
    JOIN (SELECT * FROM job_update WHERE job_id = ${$.id} AND type = 'state' ORDER BY sequence DESC LIMIT 201) last
      ON last.job_id = job.id
   WHERE job.tenant = ${$.tenant} AND job.id = ${$.id}
   ORDER BY last.sequence`,
);

/**
 * Reads through which states a job has gone, by the database's clock.
 * @returns undefined when the tenant has no such job
 */
export async function readJobTrace(database: Database, tenant: string, id: string): Promise<JobTrace | undefined> {
  const rows = await traceStatement.run(database, { tenant, id });
  const [first] = rows;
  if (!first) return undefined;
  const spans = rows.flatMap(({ data, at }, index): JobSpan[] => {
    const next = rows[index + 1];
    if (!next && isFinal(data.state)) return [];
    const { state, attempt } = shownUpdate(data, at);
    return [{ state, attempt, from: at, until: next?.at ?? null, error: next?.data.error ?? null }];
  });
  return { traceId: first.traceparent?.split('-')[1] ?? null, spans: spans.slice(-200) };
}
