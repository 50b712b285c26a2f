import { jobStates, shownState, type JobPlace, type JobState, type ShownState } from '@app/contracts';
import { statement, statementVariants, type Database, type Placeholders } from '../statement';
import type { JobError } from './settle';
import { kindsOf, walk, walkDeferred } from './walks';

/** A job as its tenant sees it. */
export interface JobRecord {
  readonly id: string;
  readonly kind: string;
  readonly version: number;
  readonly state: ShownState;
  readonly broker: string;
  /** Null for a job that was cancelled before a worker claimed it. */
  readonly place: JobPlace | null;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly progress: { readonly percent: number; readonly note: string | null };
  /** Null in a list when it is larger than `shownResultBytes`. */
  readonly result: unknown;
  /** The size of the result as JSON, in bytes, when the result is not shown. */
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
 * message, so a queued job without a row is at the broker. A cancel sets `cancel_requested` only for an active job.
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

const firstId = '00000000-0000-0000-0000-000000000000';

/** The largest id: every job comes before it. */
export const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

const readStatement = statement<Row>('read_job').with(
  { tenant: 'text', id: 'uuid' },
  ($) => `SELECT ${columns}, result, NULL::int AS "resultBytes" FROM job WHERE tenant = ${$.tenant} AND id = ${$.id}`,
);

/** The largest result, in bytes, that a list shows. Handlers decide how large results are. */
export const shownResultBytes = 16 * 1024;

const listedColumns = `${columns}, CASE WHEN bytes <= ${shownResultBytes} THEN result END AS result,
  CASE WHEN bytes > ${shownResultBytes} THEN bytes END AS "resultBytes"`;

/** OFFSET 0 keeps PostgreSQL from converting a result into text twice. */
const listedJobs = 'job CROSS JOIN LATERAL (SELECT octet_length(result::text) AS bytes OFFSET 0) size';

/** @param ids an SQL array of ids, one more than the page has */
const pageOf = (ids: string): string =>
  `SELECT ${listedColumns}, count(*) OVER ()::int AS found FROM ${listedJobs} WHERE id = ANY (ARRAY(${ids})) ORDER BY id DESC`;

/** `before` is the id that the page comes before. */
const parameters = { tenant: 'text', states: 'job_state[]', before: 'uuid', limit: 'int' } as const;

/** The SQL of the parameters. `kind` exists only in the statements for one kind. */
type Listed = Placeholders<typeof parameters> & { readonly kind?: string };

/** The kinds that are read in each state. */
const kindsOfList = ({ kind, states }: Listed): string =>
  kind ? `kinds AS (SELECT state, ${kind} AS kind FROM unnest(${states}) AS wanted(state))` : kindsOf(states);

/** The rows of one group, newest first. */
const newestOf = ($: Listed, state: string, isDeferred: string, tried: string): string => {
  const group = [state, 'kinds.kind', isDeferred, tried, $.tenant];
  return walk('job_by_state', 'DESC', ['>=', ...group, `'${firstId}'::uuid`], ['<', ...group, $.before]);
};

const newest = ($: Listed): string => `
     SELECT row.id FROM kinds
      CROSS JOIN LATERAL (SELECT id FROM job WHERE ${newestOf($, 'kinds.state', 'false', 'false')} LIMIT ${$.limit}) row`;

/**
 * @param tried SQL values: `(false)` for first attempts, `(true)` for later ones
 * @param reach how many rows of each group
 */
const newestDeferred = ($: Listed, columns: string, tried: string, reach: string): string => `
     SELECT row.*, kinds.kind, attempts.tried FROM kinds CROSS JOIN (VALUES ${tried}) AS attempts(tried)
      CROSS JOIN LATERAL (SELECT ${columns} FROM job WHERE ${newestOf($, `'queued'`, 'true', 'attempts.tried')} LIMIT ${reach}) row
      WHERE kinds.state = 'queued'`;

const newestFirst = ($: Listed, ids: string): string =>
  `SELECT id FROM (${ids}) found ORDER BY id DESC LIMIT ${$.limit}`;

const anyState = ($: Listed): string =>
  `WITH RECURSIVE ${kindsOfList($)} ${pageOf(
    newestFirst(
      $,
      `${newest($)} UNION ALL SELECT id FROM (${newestDeferred($, 'id', '(false), (true)', $.limit)}) row`,
    ),
  )}`;

/** A part of `queued` that a caller sees, as `shownState` defines it. A job that is not deferred is due. */
interface PartOfQueued {
  readonly isDue: boolean;
  readonly tried: string;
}

const queued: PartOfQueued = { isDue: true, tried: '(false), (true)' };
const scheduled: PartOfQueued = { isDue: false, tried: '(false)' };
const retrying: PartOfQueued = { isDue: false, tried: '(true)' };

/** The rows of this part that are not deferred, as a further part of a UNION. */
const othersOf = ($: Listed, isDue: boolean): string => (isDue ? ` UNION ALL ${newest($)}` : '');

/** How many deferred rows of each group are read, newest first. */
const looked = 100;

/** Reads by id. The page ends at the last row that was read of any group: older rows would leave gaps. */
const byAge =
  ({ isDue, tried }: PartOfQueued) =>
  ($: Listed): string => {
    const ids = `SELECT id FROM looked WHERE run_at ${isDue ? '<=' : '>'} now()${othersOf($, isDue)}`;
    return `WITH RECURSIVE ${kindsOfList($)}, looked AS MATERIALIZED (
     SELECT id, run_at, row_number() OVER (PARTITION BY kind, tried ORDER BY id DESC) = ${looked} AS is_last
       FROM (${newestDeferred($, 'id, run_at', tried, String(looked))}) row
   ), reached AS (
     SELECT id FROM looked WHERE is_last ORDER BY id DESC LIMIT 1
   )
   SELECT page.*, EXISTS (SELECT FROM reached) AND coalesce(found, 0) < ${$.limit} AS "isPart" FROM (SELECT) alone
     LEFT JOIN (${pageOf(`
       SELECT id FROM (${ids}) found
        WHERE id >= coalesce((SELECT id FROM reached), '${firstId}') ORDER BY id DESC LIMIT ${$.limit}`)}) page ON true
    ORDER BY id DESC`;
  };

/**
 * Reads by time, not by id: for rows that are rare among the deferred ones.
 * @param reach how many rows of each group
 */
const byTime =
  ({ isDue, tried }: PartOfQueued, reach: number | 'ALL') =>
  ($: Listed): string => {
    const rows = walkDeferred(['kinds.kind', $.tenant, 'attempts.tried'], isDue);
    return `WITH RECURSIVE ${kindsOfList($)}, looked AS MATERIALIZED (
     SELECT row.id, row_number() OVER (PARTITION BY kinds.kind, attempts.tried) AS place
       FROM kinds CROSS JOIN (VALUES ${tried}) AS attempts(tried)
      CROSS JOIN LATERAL (SELECT id FROM job WHERE ${rows} LIMIT ${reach} OFFSET 0) row
   )
   SELECT page.*, ${reach === 'ALL' ? 'false' : `EXISTS (SELECT FROM looked WHERE place = ${reach})`} AS "isPart" FROM (SELECT) alone
     LEFT JOIN (${pageOf(newestFirst($, `SELECT id FROM looked WHERE id < ${$.before}${othersOf($, isDue)}`))}) page ON true
    ORDER BY id DESC`;
  };

interface ListedRow extends Row {
  /** The rows of the page and the one after it. Null: this row only carries `isPart`. */
  readonly found: number | null;
  /** Whether some rows were not read. */
  readonly isPart?: boolean;
}

const statementsOf = (list: string, ...texts: (($: Listed) => string)[]) =>
  texts.map((text, place) =>
    statementVariants<ListedRow>(([kind]) => `list_${list}${kind ? '_of_kind' : ''}_${place}`).with(
      parameters,
      { kind: 'text' },
      text,
    ),
  );

/**
 * The statements of each list, run one after another until an answer is complete. As a rule, few deferred rows are due
 * and many are not.
 */
const listStatements = {
  all: statementsOf('all', anyState),
  queued: statementsOf('queued', byTime(queued, 1_000), byAge(queued), byTime(queued, 'ALL')),
  scheduled: statementsOf('scheduled', byAge(scheduled), byTime(scheduled, 'ALL')),
  retrying: statementsOf('retrying', byAge(retrying), byTime(retrying, 'ALL')),
};

/** @returns the job with its whole result; undefined when the tenant has no such job */
export async function readJob(database: Database, tenant: string, id: string): Promise<JobRecord | undefined> {
  const [row] = await readStatement.run(database, { tenant, id });
  return row && toRecord(row);
}

const readManyStatement = statement<Row & { sequence: number }>('read_jobs').with(
  { ids: 'uuid[]' },
  ($) => `SELECT ${listedColumns}, sequence FROM ${listedJobs} WHERE id = ANY (${$.ids})`,
);

/** @returns the jobs that exist, each with the sequence of its last update */
export async function readJobs(
  database: Database,
  ids: readonly string[],
): Promise<(JobRecord & { readonly sequence: number })[]> {
  const rows = await readManyStatement.run(database, { ids });
  return rows.map(toRecord);
}

/**
 * Lists the jobs of a tenant, newest first.
 * @param query its `before` is the id of the last job on the previous page
 */
export async function listJobs(
  database: Database,
  tenant: string,
  query: { state: ShownState | undefined; kind: string | undefined; before: string | undefined; limit: number },
): Promise<{ jobs: JobRecord[]; hasMore: boolean }> {
  const { state, kind, before = lastId, limit } = query;
  const part = state !== undefined && state in listStatements ? (state as keyof typeof listStatements) : undefined;
  const states = part ? ['queued'] : state === undefined ? jobStates : [state];
  let rows: ListedRow[] = [];
  for (const list of listStatements[part ?? 'all']) {
    rows = await list.run(database, { tenant, kind, states, before, limit: limit + 1 });
    if (!rows[0]?.isPart) break;
  }
  rows = rows.filter(({ found }) => found !== null);
  return { jobs: rows.slice(0, limit).map(toRecord), hasMore: rows.length > limit };
}

/** Keeps the further columns of a row. */
function toRecord<Read extends Row>({ percent, note, now, ...row }: Read) {
  return { ...row, state: shownState(row, now), progress: { percent, note } };
}
