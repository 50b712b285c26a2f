import { jobStates, shownState, type JobPlace, type JobState, type ShownState } from '@app/contracts';
import { statement, type Database, type Placeholders } from '../statement';
import type { JobError } from './settle';
import { kindsOf, walk } from './walks';

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

type Listed = Placeholders<typeof parameters>;

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

const anyState = ($: Listed, kinds: string): string =>
  `WITH RECURSIVE ${kinds} ${pageOf(
    newestFirst(
      $,
      `${newest($)} UNION ALL SELECT id FROM (${newestDeferred($, 'id', '(false), (true)', $.limit)}) row`,
    ),
  )}`;

/** The parts of `queued` that a caller sees, as `shownState` defines them. A job that is not deferred is due. */
const partsOfQueued = {
  queued: { isDue: true, others: ($: Listed) => ` UNION ALL ${newest($)}`, tried: '(false), (true)' },
  scheduled: { isDue: false, others: () => '', tried: '(false)' },
  retrying: { isDue: false, others: () => '', tried: '(true)' },
} as const;

type PartOfQueued = keyof typeof partsOfQueued;

/** How many deferred rows of each group are read, newest first. */
const looked = 100;

/** Reads by id. The page ends at the last row that was read of any group: older rows would leave gaps. */
const byAge = ($: Listed, part: PartOfQueued, kinds: string): string => {
  const { isDue, others, tried } = partsOfQueued[part];
  const ids = `SELECT id FROM looked WHERE run_at ${isDue ? '<=' : '>'} now()${others($)}`;
  return `WITH RECURSIVE ${kinds}, looked AS MATERIALIZED (
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
const byTime = ($: Listed, part: PartOfQueued, kinds: string, reach: number | 'ALL'): string => {
  const { isDue, others, tried } = partsOfQueued[part];
  const group = ['kinds.kind', $.tenant, 'attempts.tried'];
  const rows = isDue
    ? walk('job_deferred', 'ASC', ['>=', ...group], ['<=', ...group, 'now()'])
    : walk('job_deferred', 'ASC', ['>', ...group, 'now()'], ['<=', ...group]);
  return `WITH RECURSIVE ${kinds}, looked AS MATERIALIZED (
     SELECT row.id, row_number() OVER (PARTITION BY kinds.kind, attempts.tried) AS place
       FROM kinds CROSS JOIN (VALUES ${tried}) AS attempts(tried)
      CROSS JOIN LATERAL (SELECT id FROM job WHERE ${rows} LIMIT ${reach} OFFSET 0) row
   )
   SELECT page.*, ${reach === 'ALL' ? 'false' : `EXISTS (SELECT FROM looked WHERE place = ${reach})`} AS "isPart" FROM (SELECT) alone
     LEFT JOIN (${pageOf(newestFirst($, `SELECT id FROM looked WHERE id < ${$.before}${others($)}`))}) page ON true
    ORDER BY id DESC`;
};

type ListText = ($: Listed, kinds: string) => string;

/**
 * The texts for a part of `queued`, run one after another until an answer is complete. As a rule, few deferred
 * rows are due and many are not.
 */
const triedFor = (part: PartOfQueued): ListText[] => [
  ...(part === 'queued' ? [($: Listed, kinds: string) => byTime($, part, kinds, 1_000)] : []),
  ($, kinds) => byAge($, part, kinds),
  ($, kinds) => byTime($, part, kinds, 'ALL'),
];

interface ListedRow extends Row {
  /** The rows of the page and the one after it. Null: this row only carries `isPart`. */
  readonly found: number | null;
  /** Whether some rows were not read. */
  readonly isPart?: boolean;
}

/** Each question has its own text, so that the plan that PostgreSQL keeps for it has no unused part. */
const texts: Readonly<Record<PartOfQueued | 'all', readonly ListText[]>> = {
  all: [anyState],
  queued: triedFor('queued'),
  scheduled: triedFor('scheduled'),
  retrying: triedFor('retrying'),
};

type List = keyof typeof texts;

function statementsOf<S>(suffix: string, create: (name: string, text: ListText) => S): Record<List, S[]> {
  const of = (list: List) => texts[list].map((text, place) => create(`list_${list}${suffix}_${place}`, text));
  return { all: of('all'), queued: of('queued'), scheduled: of('scheduled'), retrying: of('retrying') };
}

const listStatements = statementsOf('', (name, text) =>
  statement<ListedRow>(name).with(parameters, ($) => text($, kindsOf($.states))),
);

const listOfKindStatements = statementsOf('_of_kind', (name, text) =>
  statement<ListedRow>(name).with({ ...parameters, kind: 'text' }, ($) =>
    text($, `kinds AS (SELECT state, ${$.kind} AS kind FROM unnest(${$.states}) AS wanted(state))`),
  ),
);

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
  return rows.map((row) => ({ ...toRecord(row), sequence: row.sequence }));
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
  const part = state !== undefined && state in partsOfQueued ? (state as PartOfQueued) : undefined;
  const states = part ? ['queued'] : state === undefined ? jobStates : [state];
  const values = { tenant, states, before, limit: limit + 1 };
  const tries =
    kind === undefined
      ? listStatements[part ?? 'all'].map((statement) => () => statement.run(database, values))
      : listOfKindStatements[part ?? 'all'].map((statement) => () => statement.run(database, { ...values, kind }));
  let rows: ListedRow[] = [];
  for (const read of tries) {
    rows = await read();
    if (!rows[0]?.isPart) break;
  }
  rows = rows.filter(({ found }) => found !== null);
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
