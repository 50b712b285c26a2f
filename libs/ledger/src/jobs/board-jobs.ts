import type { JobState } from '@app/contracts';
import { statement, type Database } from '../statement';
import { deferredGroups, kindsOf, walk, walkDeferred } from './walks';

/** A job as operators see it: of any tenant, without its payload and its result. */
export interface BoardJob {
  readonly id: string;
  readonly kind: string;
  readonly tenant: string;
  readonly state: JobState;
  readonly broker: string;
  readonly queue: string;
  readonly priority: number;
  readonly dispatch: number;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly progress: number;
  readonly errorCode: string | null;
  readonly createdAt: Date;
  readonly runAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly leaseUntil: Date | null;
  readonly parentId: string | null;
  readonly isDue: boolean;
}

export interface BoardFilter {
  readonly state: JobState;
  /** For `queued` only: true for jobs that are due, false for jobs that are due later. */
  readonly isDue: boolean | undefined;
}

/**
 * How many jobs are counted and listed at most, per kind and state. Queued jobs that are due count apart from later
 * ones.
 */
export const boardReach = 10_000;

const columns = `id, kind, tenant, state, broker, queue, priority, dispatch, attempt, max_attempts AS "maxAttempts", progress,
  error->>'code' AS "errorCode", created_at AS "createdAt", run_at AS "runAt", started_at AS "startedAt",
  finished_at AS "finishedAt", lease_until AS "leaseUntil", parent_id AS "parentId", run_at <= now() AS "isDue"`;

/**
 * SQL for the ids of at most `boardReach` jobs of one state and kind, in the order of the index `job_by_state`: by
 * tenant, and within a tenant by age. The limit is for all tenants together.
 * @param direction `DESC`: newest first within a tenant. `ASC` is for counts: an index-only scan of old rows seldom
 *   reads the table, because a vacuum has marked their pages as visible
 * @param further values of the index columns that follow `kind`
 */
const ofState = (state: string, kind: string, direction: 'ASC' | 'DESC', ...further: string[]): string => `
       SELECT id FROM job
        WHERE ${walk('job_by_state', direction, ['>=', state, kind, ...further], ['<=', state, kind, ...further])} LIMIT ${boardReach}`;

const deferredOf = (kind: string, isDue: boolean): string => `
       SELECT row.id FROM deferred CROSS JOIN LATERAL (
         SELECT id FROM job WHERE ${walkDeferred(['deferred.kind', 'deferred.tenant', 'deferred.tried'], isDue)} LIMIT ${boardReach}) row
        WHERE deferred.kind = ${kind} LIMIT ${boardReach}`;

/** Queued rows of one kind that are due: rows that were never deferred, and deferred rows whose time has come. */
const due = (kind: string): string =>
  `(${ofState(`'queued'`, kind, 'DESC', 'false')}) UNION ALL (${deferredOf(kind, true)})`;

const countOf = (rows: string): string =>
  `(SELECT count(*) FROM (SELECT FROM (${rows}) rows LIMIT ${boardReach}) row)::int`;

/** Counts the jobs of every kind and state, up to `boardReach` each. */
export const countBoardJobs = statement<{ kind: string; state: JobState; isDue: boolean; count: number }>(
  'board_count',
).text(
  `WITH RECURSIVE ${deferredGroups}, ${kindsOf('enum_range(NULL::job_state)')}
   SELECT kind, state, true AS "isDue", ${countOf(ofState('kinds.state', 'kinds.kind', 'ASC'))} AS count
     FROM kinds WHERE kind IS NOT NULL AND state <> 'queued'
    UNION ALL
   SELECT kind, state, true, ${countOf(due('kinds.kind'))} FROM kinds WHERE kind IS NOT NULL AND state = 'queued'
    UNION ALL
   SELECT kind, state, false, ${countOf(deferredOf('kinds.kind', false))} FROM kinds WHERE kind IS NOT NULL AND state = 'queued'`,
);

/**
 * Newest first. Of a state with more than `boardReach` jobs, the list has those that are among the newest `boardReach` jobs
 * of all kinds and states, and then some of the older ones.
 */
const listStatement = statement<BoardJob>('board_list').with(
  { kind: 'text', states: 'job_state[]', wantsDue: 'boolean', wantsLater: 'boolean', offset: 'int', limit: 'int' },
  ($) => `WITH RECURSIVE ${deferredGroups}, reached AS (
     SELECT id FROM (SELECT id, state, kind, run_at FROM job ORDER BY id DESC LIMIT ${boardReach}) newest
      WHERE kind = ${$.kind}
        AND (state = ANY (${$.states})
             OR state = 'queued' AND CASE WHEN run_at <= now() THEN ${$.wantsDue} ELSE ${$.wantsLater} END)
      UNION
     SELECT row.id FROM unnest(${$.states}) AS wanted(state) CROSS JOIN LATERAL (${ofState('wanted.state', $.kind, 'DESC')}) row
      UNION
    (SELECT id FROM (${due($.kind)}) row WHERE ${$.wantsDue} LIMIT ${boardReach})
      UNION
    (SELECT id FROM (${deferredOf($.kind, false)}) row WHERE ${$.wantsLater})
   )
   SELECT ${columns} FROM job
    WHERE id = ANY (ARRAY(SELECT id FROM reached ORDER BY id DESC OFFSET ${$.offset} LIMIT ${$.limit}))
    ORDER BY id DESC`,
);

/** Reads the job; no row when there is none of this kind. */
export const readBoardJob = statement<BoardJob>('board_read').with(
  { id: 'uuid', kind: 'text' },
  ($) => `SELECT ${columns} FROM job WHERE id = ${$.id} AND kind = ${$.kind}`,
);

/** How many events of a job its log shows: the last ones. */
const loggedEvents = 500;

/** Reads the last events of a job, oldest first: states, attempts and progress, without texts of a handler. */
export const readBoardLog = statement<{ at: Date; type: string; data: object }>('board_log').with(
  { id: 'uuid' },
  ($) => `SELECT at, type, jsonb_strip_nulls(jsonb_build_object('state', data->'state', 'attempt', data->'attempt',
            'runAt', data->'runAt', 'percent', data->'percent', 'error', left(data->'error'->>'code', 100))) AS data
     FROM (SELECT * FROM job_update WHERE job_id = ${$.id} ORDER BY sequence DESC LIMIT ${loggedEvents}) last
    ORDER BY sequence`,
);

/**
 * Lists jobs of one kind and of any tenant, newest first, up to `boardReach` per state.
 * @param filters the states to include
 * @param page `offset` counts from 0
 */
export async function listBoardJobs(
  database: Database,
  kind: string,
  filters: readonly BoardFilter[],
  page: { offset: number; limit: number },
): Promise<BoardJob[]> {
  const states = filters.flatMap(({ state }) => (state === 'queued' ? [] : [state]));
  const wants = (isDue: boolean) => filters.some((filter) => filter.state === 'queued' && filter.isDue === isDue);
  return listStatement.run(database, { kind, states, wantsDue: wants(true), wantsLater: wants(false), ...page });
}
