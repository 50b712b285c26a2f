import { jobStates, shownState, type JobPlace, type JobState, type ShownState } from '@app/contracts';
import { Statement, type Database } from '../statement';
import type { JobError } from './settle';

/** A job as its owner sees it. */
export interface JobRecord {
  readonly id: string;
  readonly kind: string;
  readonly version: number;
  readonly state: ShownState;
  readonly broker: string;
  /** Null for a job that was cancelled before a worker took it. */
  readonly place: JobPlace | null;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly progress: { readonly percent: number; readonly note: string | null };
  readonly result: unknown;
  readonly error: JobError | null;
  readonly createdAt: Date;
  readonly runAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

interface Row extends Omit<JobRecord, 'state' | 'progress'> {
  readonly state: JobState;
  readonly percent: number;
  readonly note: string | null;
  /** The database's clock decides what is scheduled, not the reader's. */
  readonly now: Date;
}

/**
 * `JobPlace`, read in the same snapshot as the state. The relay deletes an outbox row when the broker has confirmed its
 * message, so a queued job without a row is at the broker. A cancel is requested only of a job that a worker has.
 */
const place = `CASE
    WHEN state = 'queued' THEN CASE WHEN EXISTS (SELECT FROM outbox WHERE outbox.job_id = job.id) THEN 'outbox' ELSE 'broker' END
    WHEN state = 'active' THEN CASE WHEN lease_until < now() THEN 'ledger' ELSE 'worker' END
    WHEN state = 'cancelled' THEN CASE WHEN cancel_requested THEN 'worker' END
    WHEN state = 'waiting' OR state = 'failed' AND error->>'code' = 'child_failed' THEN 'ledger'
    ELSE 'worker'
  END`;

const columns = `id, kind, version, state, broker, attempt, max_attempts AS "maxAttempts", progress AS percent,
  progress_note AS note, result, error, created_at AS "createdAt", run_at AS "runAt", started_at AS "startedAt",
  finished_at AS "finishedAt", ${place} AS place, now() AS now`;

const readStatement = new Statement<Row>('read_job', `SELECT ${columns} FROM job WHERE tenant = $1 AND id = $2`);

/** The shown states in terms of the stored ones: `shownState`, said in SQL. */
const listStatement = new Statement<Row>(
  'list_jobs',
  `SELECT ${columns} FROM job
    WHERE tenant = $1
      AND ($2::job_state IS NULL OR state = $2)
      AND ($3::text IS NULL OR CASE WHEN run_at <= now() THEN 'queued' WHEN attempt = 0 THEN 'scheduled' ELSE 'retrying' END = $3)
      AND ($4::text IS NULL OR kind = $4)
      AND ($5::uuid IS NULL OR id < $5)
    ORDER BY id DESC
    LIMIT $6`,
);

export async function readJob(database: Database, tenant: string, id: string): Promise<JobRecord | undefined> {
  const [row] = await readStatement.run(database, tenant, id);
  return row && toRecord(row);
}

const readManyStatement = new Statement<Row & { sequence: number }>(
  'read_jobs',
  `SELECT ${columns}, sequence FROM job WHERE id = ANY ($1::uuid[])`,
);

/** With the number of the last thing that happened to each. */
export async function readJobs(
  database: Database,
  ids: readonly string[],
): Promise<(JobRecord & { readonly sequence: number })[]> {
  const rows = await readManyStatement.run(database, ids);
  return rows.map((row) => ({ ...toRecord(row), sequence: row.sequence }));
}

/** Newest first. @param before the id of the last job of the page before */
export async function listJobs(
  database: Database,
  tenant: string,
  query: { state: ShownState | undefined; kind: string | undefined; before: string | undefined; limit: number },
): Promise<JobRecord[]> {
  const { state } = query;
  const isStored = state !== undefined && (jobStates as readonly string[]).includes(state);
  const isPartOfQueued = state === 'queued' || (state !== undefined && !isStored);
  const rows = await listStatement.run(
    database,
    tenant,
    isPartOfQueued ? 'queued' : (state ?? null),
    isPartOfQueued ? state : null,
    query.kind ?? null,
    query.before ?? null,
    query.limit,
  );
  return rows.map(toRecord);
}

function toRecord({ percent, note, now, ...row }: Row): JobRecord {
  return { ...row, state: shownState(row, now), progress: { percent, note } };
}
