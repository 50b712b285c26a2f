import { jobStates, shownState, type JobPlace, type JobState, type ShownState } from '@app/contracts';
import { Statement, type Database } from '../statement';
import { backlog } from './backlog';
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
  /** Null in a list where it is larger than `shownResultBytes`. */
  readonly result: unknown;
  /** How large the result is as JSON, where it is not shown. */
  readonly resultBytes: number | null;
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
  progress_note AS note, error, created_at AS "createdAt", run_at AS "runAt",
  started_at AS "startedAt", finished_at AS "finishedAt", ${place} AS place, now() AS now`;

const readStatement = new Statement<Row>(
  'read_job',
  `SELECT ${columns}, result, NULL::int AS "resultBytes" FROM job WHERE tenant = $1 AND id = $2`,
);

/** The largest result that is shown beside those of other jobs: results are as large as handlers make them. */
export const shownResultBytes = 16 * 1024;

const listedColumns = `${columns}, CASE WHEN bytes <= ${shownResultBytes} THEN result END AS result,
  CASE WHEN bytes > ${shownResultBytes} THEN bytes END AS "resultBytes"`;

/** OFFSET 0: a result is made into text once. */
const listedJobs = 'job CROSS JOIN LATERAL (SELECT octet_length(result::text) AS bytes OFFSET 0) size';

/** @param ids an array of ids in SQL, one more than the page has */
const pageOf = (ids: string): string =>
  `SELECT ${listedColumns} FROM ${listedJobs} WHERE id = ANY (ARRAY(${ids})) ORDER BY id DESC`;

/** One step through the index `job_by_state` for each kind that a state has, of any tenant. */
const kindsOfStates = `WITH RECURSIVE groups AS (
     SELECT state, (SELECT min(kind) FROM job WHERE job.state = wanted.state) AS kind
       FROM unnest($2::job_state[]) AS wanted(state)
     UNION ALL
     SELECT state, (SELECT min(kind) FROM job WHERE job.state = groups.state AND job.kind > groups.kind)
       FROM groups WHERE kind IS NOT NULL
   )`;

const oneKind = `WITH groups AS (SELECT state, $5::text AS kind FROM unnest($2::job_state[]) AS wanted(state))`;

/** OFFSET 0 keeps it a walk from the newest row of each group through the index alone, whatever PostgreSQL expects. */
const newestIds = (reach: string): string => `
        SELECT id FROM job
         WHERE job.state = groups.state AND job.kind = groups.kind AND tenant = $1 AND id < $3
         ORDER BY id DESC LIMIT ${reach} OFFSET 0`;

const newest = `SELECT row.id FROM groups CROSS JOIN LATERAL (${newestIds('$4')}) row ORDER BY row.id DESC LIMIT $4`;

const newestWhere = (condition: string): string => `
     SELECT row.id FROM groups
      CROSS JOIN LATERAL (${newestIds(String(looked))}) row
      CROSS JOIN LATERAL (SELECT FROM job WHERE job.id = row.id AND ${condition} OFFSET 0) fits
      ORDER BY row.id DESC LIMIT $4`;

/** The parts of `queued` that a caller is shown, as `shownState` tells them apart. */
const partsOfQueued = {
  queued: 'run_at <= now()',
  scheduled: 'run_at > now() AND attempt = 0',
  retrying: 'run_at > now() AND attempt > 0',
} as const;

type PartOfQueued = keyof typeof partsOfQueued;

/** So many queued rows are looked through from the newest on. A part that is rarer is looked up by its time. */
const looked = 100;

/** In the order of time, not of ids: for what is rare among the queued rows. */
const byTime = (part: PartOfQueued, kind: '' | 'kind = $5'): string => `WITH RECURSIVE ${backlog}
   ${pageOf(`
     SELECT row.id FROM backlog
      CROSS JOIN LATERAL (
        SELECT id FROM job
         WHERE state = 'queued' AND queue = backlog.queue AND kind = backlog.kind AND tenant = backlog.tenant
           AND (attempt > 0) = backlog.tried AND ${partsOfQueued[part]} AND id < $3
         OFFSET 0) row
      WHERE backlog.tenant = $1 AND $2::job_state[] IS NOT NULL${kind && ` AND backlog.${kind}`}
      ORDER BY row.id DESC LIMIT $4`)}`;

/** Each question has a text of its own, so that the plan that PostgreSQL keeps for it has no part that does nothing. */
const listStatements = Object.fromEntries(
  (['', 'kind = $5'] as const).flatMap((kind) => {
    const [groups, name] = kind ? [oneKind, '_of_kind'] : [kindsOfStates, ''];
    const all = `${groups} ${pageOf(newest)}`;
    return [
      [`all${name}`, new Statement<Row>(`list_jobs${name}`, all)],
      ...(Object.keys(partsOfQueued) as PartOfQueued[]).flatMap((part) => {
        const ofPart = `${groups} ${pageOf(newestWhere(partsOfQueued[part]))}`;
        return [
          [part + name, new Statement<Row>(`list_${part}${name}`, ofPart)],
          [`${part}${name}_by_time`, new Statement<Row>(`list_${part}${name}_by_time`, byTime(part, kind))],
        ];
      }),
    ] as [string, Statement<Row>][];
  }),
);

/** Whether the tenant has more queued rows than were looked through. */
const manyQueuedStatement = new Statement<{ many: boolean }>(
  'many_queued',
  `WITH RECURSIVE ${backlog}
   SELECT count(*) >= ${looked} AS many FROM (
     SELECT FROM backlog CROSS JOIN LATERAL (
       SELECT FROM job
        WHERE state = 'queued' AND queue = backlog.queue AND kind = backlog.kind AND tenant = backlog.tenant
          AND (attempt > 0) = backlog.tried
        LIMIT ${looked}) row
      WHERE backlog.tenant = $1
      LIMIT ${looked}) row`,
);

export async function readJob(database: Database, tenant: string, id: string): Promise<JobRecord | undefined> {
  const [row] = await readStatement.run(database, tenant, id);
  return row && toRecord(row);
}

const readManyStatement = new Statement<Row & { sequence: number }>(
  'read_jobs',
  `SELECT ${listedColumns}, sequence FROM ${listedJobs} WHERE id = ANY ($1::uuid[])`,
);

/** With the number of the last thing that happened to each. */
export async function readJobs(
  database: Database,
  ids: readonly string[],
): Promise<(JobRecord & { readonly sequence: number })[]> {
  const rows = await readManyStatement.run(database, ids);
  return rows.map((row) => ({ ...toRecord(row), sequence: row.sequence }));
}

const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Newest first. @param before the id of the last job of the page before */
export async function listJobs(
  database: Database,
  tenant: string,
  query: { state: ShownState | undefined; kind: string | undefined; before: string | undefined; limit: number },
): Promise<{ jobs: JobRecord[]; hasMore: boolean }> {
  const { state, kind, before = lastId, limit } = query;
  const part = state !== undefined && state in partsOfQueued ? (state as PartOfQueued) : undefined;
  const states = part ? ['queued'] : state === undefined ? jobStates : [state];
  const values = [tenant, states, before, limit + 1, ...(kind === undefined ? [] : [kind])];
  const name = `${part ?? 'all'}${kind === undefined ? '' : '_of_kind'}`;
  let rows = await listStatements[name]!.run(database, ...values);
  if (part && rows.length <= limit && (await manyQueuedStatement.run(database, tenant))[0]!.many) {
    rows = await listStatements[`${name}_by_time`]!.run(database, ...values);
  }
  return { jobs: rows.slice(0, limit).map(toRecord), hasMore: rows.length > limit };
}

function toRecord(row: Row): JobRecord {
  return {
    id: row.id,
    kind: row.kind,
    version: row.version,
    state: shownState(row, row.now),
    broker: row.broker,
    place: row.place,
    attempt: row.attempt,
    maxAttempts: row.maxAttempts,
    progress: { percent: row.percent, note: row.note },
    result: row.result,
    resultBytes: row.resultBytes,
    error: row.error,
    createdAt: row.createdAt,
    runAt: row.runAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
  };
}
