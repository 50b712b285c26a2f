import { finalStates, shownState, type JobState, type ShownState } from '@app/contracts';
import { columnsOf, statement, type Database } from '../statement';
import { ChangeCursor } from './change-cursor';
import type { JobError } from './settle';

/** How many updates one reader gets at a time. */
export const jobUpdatesAtOnce = 100;

/** The data of an update of the state. */
export interface StateData<State> {
  readonly state: State;
  readonly attempt: number;
  readonly runAt?: string;
  readonly error?: JobError;
}

/** One update of a job. Its sequence rises by one with each update. */
export type JobUpdate = { readonly sequence: number; readonly at: Date } & (
  | { readonly type: 'state'; readonly data: StateData<ShownState> }
  | { readonly type: 'progress'; readonly data: { readonly percent: number; readonly note: string | null } }
  | {
      readonly type: 'result';
      readonly data: { readonly state: 'completed'; readonly kind: string; readonly result: unknown };
    }
);

type Row = { readonly place: number; readonly sequence: number; readonly at: Date } & (
  { readonly type: 'state'; readonly data: StateData<JobState> } | Extract<JobUpdate, { type: 'progress' | 'result' }>
);

/**
 * A job's row holds its sequence, and each statement holds the row until it commits: a reader that sees an update sees
 * all updates before it. Only the job's row stores the result. The result is the last update, after `completed`.
 */
const eventsStatement = statement<Row>('read_job_updates').with(
  { jobId: 'uuid[]', after: 'int[]' },
  ($) => `SELECT place::int, event.*
     FROM unnest(${$.jobId}, ${$.after}) WITH ORDINALITY AS reader(id, after, place)
    CROSS JOIN LATERAL (
       (SELECT sequence, type, data, at FROM job_update
         WHERE job_id = reader.id AND sequence > reader.after
         ORDER BY sequence
         LIMIT ${jobUpdatesAtOnce})
       UNION ALL
       SELECT sequence + 1, 'result', jsonb_build_object('state', state, 'kind', kind, 'result', result), finished_at
         FROM job
        WHERE id = reader.id AND state = 'completed' AND sequence >= reader.after
        ORDER BY sequence
        LIMIT ${jobUpdatesAtOnce}
    ) event
    ORDER BY place, sequence`,
);

const positionStatement = statement<{ state: JobState; last: number; snapshot: string }>('job_position').with(
  { tenant: 'text', id: 'uuid' },
  ($) => `SELECT state, sequence + (state = 'completed')::int AS last, pg_current_snapshot()::text AS snapshot
     FROM job WHERE tenant = ${$.tenant} AND id = ${$.id}`,
);

/** How far a job has come. */
export interface JobPosition {
  /** The sequence of its last update. */
  readonly last: number;
  readonly isFinal: boolean;
  /** The changes that this position does not include are after this cursor. */
  readonly cursor: ChangeCursor;
}

/** @returns undefined when the tenant has no such job */
export async function readJobPosition(
  database: Database,
  tenant: string,
  id: string,
): Promise<JobPosition | undefined> {
  const [row] = await positionStatement.run(database, { tenant, id });
  return row && { last: row.last, isFinal: isFinal(row.state), cursor: ChangeCursor.parse(row.snapshot)! };
}

/** @returns for each reader, in their order, the next updates of its job, ordered by sequence */
export async function readJobUpdates(
  database: Database,
  readers: readonly { readonly jobId: string; readonly after: number }[],
): Promise<JobUpdate[][]> {
  const rows = await eventsStatement.run(database, columnsOf(readers, 'jobId', 'after'));
  const events: JobUpdate[][] = readers.map(() => []);
  for (const { place, ...event } of rows) {
    events[place - 1]!.push(event.type === 'state' ? { ...event, data: shownUpdate(event.data, event.at) } : event);
  }
  return events;
}

/** @returns whether the job is final with this update; a redrive may still start it again */
export function isLastUpdate({ type, data }: JobUpdate): boolean {
  return type === 'result' || (type === 'state' && data.state !== 'completed' && isFinal(data.state));
}

/** The update in the terms of `JobRecord`, as of the moment of the update. */
export function shownUpdate({ runAt, ...stored }: StateData<JobState>, at: Date): StateData<ShownState> {
  const dueAt = runAt === undefined ? at : new Date(runAt);
  const state = shownState({ ...stored, runAt: dueAt }, at);
  return { ...stored, state, ...(runAt !== undefined && { runAt: dueAt.toISOString() }) };
}

/** @returns whether a job in this state has ended; a redrive may still start it again */
export function isFinal(state: string): boolean {
  return (finalStates as readonly string[]).includes(state);
}
