import type { JobState } from '@app/contracts';
import { Statement, type Database } from '../statement';
import type { JobError } from './settle';

/** A job as those who run the system see it: of any tenant, without its payload. */
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
  readonly result: unknown;
  readonly error: JobError | null;
  readonly createdAt: Date;
  readonly runAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly leaseUntil: Date | null;
  readonly parentId: string | null;
  readonly orderKey: string | null;
  readonly isDue: boolean;
}

export interface BoardFilter {
  readonly states: readonly JobState[];
  /** Of the queued ones: those whose time has come, those whose time has not, or both. */
  readonly isDue: boolean | undefined;
}

/** How far a board looks: further back, what has ended is counted and listed no more. */
export const boardReach = 10_000;

const columns = `id, kind, tenant, state, broker, queue, priority, dispatch, attempt, max_attempts AS "maxAttempts", progress,
  result, error, created_at AS "createdAt", run_at AS "runAt", started_at AS "startedAt", finished_at AS "finishedAt",
  lease_until AS "leaseUntil", parent_id AS "parentId", order_key AS "orderKey", run_at <= now() AS "isDue"`;

/** What is open and what has failed has indexes of its own; of what has ended, the newest are looked through. */
const within = `(
    (SELECT * FROM job WHERE state IN ('waiting', 'queued', 'active') AND kind = $1 LIMIT ${boardReach})
    UNION ALL
    (SELECT * FROM job WHERE state = 'failed' AND kind = $1 ORDER BY id DESC LIMIT ${boardReach})
    UNION ALL
    (SELECT newest.* FROM (SELECT * FROM job ORDER BY id DESC LIMIT ${boardReach}) newest
      WHERE newest.state IN ('completed', 'cancelled') AND newest.kind = $1)
  ) job`;

const countStatement = new Statement<{ state: JobState; isDue: boolean; count: number }>(
  'board_count',
  `SELECT state, run_at <= now() AS "isDue", count(*)::int AS count FROM ${within} GROUP BY 1, 2`,
);

const listStatement = new Statement<BoardJob>(
  'board_list',
  `SELECT ${columns} FROM ${within}
    WHERE state = ANY($2::job_state[]) AND ($3::boolean IS NULL OR state <> 'queued' OR (run_at <= now()) = $3)
    ORDER BY id DESC
   OFFSET $4 LIMIT $5`,
);

const readStatement = new Statement<BoardJob>('board_read', `SELECT ${columns} FROM job WHERE id = $1 AND kind = $2`);

const logStatement = new Statement<{ at: Date; type: string; data: unknown }>(
  'board_log',
  `SELECT at, type, data FROM job_event WHERE job_id = $1 ORDER BY sequence`,
);

export async function countBoardJobs(
  database: Database,
  kind: string,
): Promise<{ state: JobState; isDue: boolean; count: number }[]> {
  return countStatement.run(database, kind);
}

export async function listBoardJobs(
  database: Database,
  kind: string,
  { states, isDue }: BoardFilter,
  page: { offset: number; limit: number },
): Promise<BoardJob[]> {
  return listStatement.run(database, kind, states, isDue ?? null, page.offset, page.limit);
}

export async function readBoardJob(database: Database, kind: string, id: string): Promise<BoardJob | undefined> {
  const [job] = await readStatement.run(database, id, kind);
  return job;
}

/** Everything that has become of a job, oldest first. */
export async function readBoardLog(
  database: Database,
  id: string,
): Promise<{ at: Date; type: string; data: unknown }[]> {
  return logStatement.run(database, id);
}
