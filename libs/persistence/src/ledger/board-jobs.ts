import type { JobState } from '@app/contracts';
import { Statement, type Database } from '../statement';
import { backlog } from './backlog';

/** A job as those who run the system see it: of any tenant, without its payload and without what is made of it. */
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
  /** Of the queued ones: those whose time has come, or those whose time has not. */
  readonly isDue: boolean | undefined;
}

/** Of each kind and each state, queued and due apart from queued for later, so many are counted and listed. */
export const boardReach = 10_000;

const columns = `id, kind, tenant, state, broker, queue, priority, dispatch, attempt, max_attempts AS "maxAttempts", progress,
  error->>'code' AS "errorCode", created_at AS "createdAt", run_at AS "runAt", started_at AS "startedAt",
  finished_at AS "finishedAt", lease_until AS "leaseUntil", parent_id AS "parentId", run_at <= now() AS "isDue"`;

/** @param time when the rows are to run. OFFSET 0 keeps it a walk through the index, however large PostgreSQL thinks it is */
const queued = (time: string): string => `
     CROSS JOIN LATERAL (
       SELECT id FROM job
        WHERE state = 'queued' AND queue = backlog.queue AND kind = backlog.kind AND tenant = backlog.tenant
          AND (attempt > 0) = backlog.tried AND run_at ${time}
        OFFSET 0) row`;

const [due, later] = [queued('<= now()'), queued('> now()')];

const countStatement = new Statement<{ kind: string; state: JobState; isDue: boolean; count: number }>(
  'board_count',
  `WITH RECURSIVE ${backlog}, kinds AS (
     SELECT state, (SELECT min(kind) FROM job WHERE job.state = every.state) AS kind
       FROM unnest(enum_range(NULL::job_state)) AS every(state)
     UNION ALL
     SELECT state, (SELECT min(kind) FROM job WHERE job.state = kinds.state AND job.kind > kinds.kind)
       FROM kinds WHERE kind IS NOT NULL
   )
   SELECT kind, state, true AS "isDue", (SELECT count(*) FROM (
            SELECT FROM job WHERE job.state = kinds.state AND job.kind = kinds.kind LIMIT ${boardReach}) row)::int AS count
     FROM kinds WHERE kind IS NOT NULL AND state <> 'queued'
    UNION ALL
   SELECT kind, state, true, (SELECT count(*) FROM (
            SELECT FROM backlog ${due} WHERE backlog.kind = kinds.kind LIMIT ${boardReach}) row)::int
     FROM kinds WHERE kind IS NOT NULL AND state = 'queued'
    UNION ALL
   SELECT kind, state, false, (SELECT count(*) FROM (
            SELECT FROM backlog ${later} WHERE backlog.kind = kinds.kind LIMIT ${boardReach}) row)::int
     FROM kinds WHERE kind IS NOT NULL AND state = 'queued'`,
);

/**
 * The newest first. Where there are more of a state than the board reaches, those that are among the newest jobs of all
 * come first, and the others are some of the rest.
 */
const listStatement = new Statement<BoardJob>(
  'board_list',
  `WITH RECURSIVE ${backlog}, reached AS (
     SELECT id FROM (SELECT id, state, kind, run_at FROM job ORDER BY id DESC LIMIT ${boardReach}) newest
      WHERE kind = $1
        AND (state = ANY ($2::job_state[])
             OR state = 'queued' AND CASE WHEN run_at <= now() THEN $3::boolean ELSE $4::boolean END)
      UNION
     SELECT row.id FROM unnest($2::job_state[]) AS wanted(state)
      CROSS JOIN LATERAL (
        SELECT id FROM job WHERE job.state = wanted.state AND kind = $1
         ORDER BY tenant DESC, id DESC LIMIT ${boardReach}) row
      UNION
    (SELECT row.id FROM backlog ${due} WHERE $3 AND backlog.kind = $1 LIMIT ${boardReach})
      UNION
    (SELECT row.id FROM backlog ${later} WHERE $4 AND backlog.kind = $1 LIMIT ${boardReach})
   )
   SELECT ${columns} FROM job
    WHERE id = ANY (ARRAY(SELECT id FROM reached ORDER BY id DESC OFFSET $5 LIMIT $6))
    ORDER BY id DESC`,
);

const readStatement = new Statement<BoardJob>('board_read', `SELECT ${columns} FROM job WHERE id = $1 AND kind = $2`);

/** What one look into the log of a job shows of it: its last events. */
const loggedEvents = 500;

const logStatement = new Statement<{ at: Date; type: string; data: object }>(
  'board_log',
  `SELECT at, type, jsonb_strip_nulls(jsonb_build_object('state', data->'state', 'attempt', data->'attempt',
            'runAt', data->'runAt', 'percent', data->'percent', 'error', left(data->'error'->>'code', 100))) AS data
     FROM (SELECT * FROM job_event WHERE job_id = $1 ORDER BY sequence DESC LIMIT ${loggedEvents}) last
    ORDER BY sequence`,
);

/** Of every kind and state, as far as the board reaches. */
export async function countBoardJobs(
  database: Database,
): Promise<{ kind: string; state: JobState; isDue: boolean; count: number }[]> {
  return countStatement.run(database);
}

export async function listBoardJobs(
  database: Database,
  kind: string,
  filters: readonly BoardFilter[],
  page: { offset: number; limit: number },
): Promise<BoardJob[]> {
  const states = filters.flatMap(({ state }) => (state === 'queued' ? [] : [state]));
  const wants = (isDue: boolean) => filters.some((filter) => filter.state === 'queued' && filter.isDue === isDue);
  return listStatement.run(database, kind, states, wants(true), wants(false), page.offset, page.limit);
}

export async function readBoardJob(database: Database, kind: string, id: string): Promise<BoardJob | undefined> {
  const [job] = await readStatement.run(database, id, kind);
  return job;
}

/** What has become of a job of late, oldest first: states, attempts and progress, no text of a handler. */
export async function readBoardLog(
  database: Database,
  id: string,
): Promise<{ at: Date; type: string; data: object }[]> {
  return logStatement.run(database, id);
}
