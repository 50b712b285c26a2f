import { finalStates, shownState, type JobState, type ShownState } from '@app/contracts';
import { Statement, type Database } from '../statement';
import { ChangeCursor } from './change-cursor';
import type { JobError } from './settle';

/** What one reader gets at a time. */
export const jobUpdatesAtOnce = 100;

/** One thing that has happened to a job; its sequence rises by one with each, in the order in which they happened. */
export type JobUpdate = { readonly sequence: number; readonly at: Date } & (
  | {
      readonly type: 'state';
      readonly data: {
        readonly state: ShownState;
        readonly attempt: number;
        readonly runAt?: string;
        readonly error?: JobError;
      };
    }
  | { readonly type: 'progress'; readonly data: { readonly percent: number; readonly note: string | null } }
  | {
      readonly type: 'result';
      readonly data: { readonly state: 'completed'; readonly kind: string; readonly result: unknown };
    }
);

interface StoredState {
  readonly state: JobState;
  readonly attempt: number;
  readonly runAt?: string;
  readonly error?: JobError;
}

type Row = { readonly place: number; readonly sequence: number; readonly at: Date } & (
  { readonly type: 'state'; readonly data: StoredState } | Extract<JobUpdate, { type: 'progress' | 'result' }>
);

/**
 * A job's sequence is counted in its row, which each statement holds until it commits: whoever sees an event sees all
 * before it. The result stands in the job alone; it is the one thing after `completed`, which nothing else follows.
 */
const eventsStatement = new Statement<Row>(
  'job_events',
  `SELECT place::int, event.*
     FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS reader(id, after, place)
    CROSS JOIN LATERAL (
       (SELECT sequence, type, data, at FROM job_event
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

const positionStatement = new Statement<{ state: JobState; last: number; snapshot: string }>(
  'job_position',
  `SELECT state, sequence + (state = 'completed')::int AS last, pg_current_snapshot()::text AS snapshot
     FROM job WHERE tenant = $1 AND id = $2`,
);

/** How far a job has come. */
export interface JobPosition {
  /** The sequence of its last event. */
  readonly last: number;
  readonly isFinal: boolean;
  /** Changes that this position does not know of are after it. */
  readonly cursor: ChangeCursor;
}

export async function readJobPosition(
  database: Database,
  tenant: string,
  id: string,
): Promise<JobPosition | undefined> {
  const [row] = await positionStatement.run(database, tenant, id);
  return row && { last: row.last, isFinal: isFinal(row.state), cursor: ChangeCursor.parse(row.snapshot)! };
}

/** @returns for each reader the next events of its job, in order */
export async function readJobUpdates(
  database: Database,
  readers: readonly { readonly jobId: string; readonly after: number }[],
): Promise<JobUpdate[][]> {
  const rows = await eventsStatement.run(
    database,
    readers.map(({ jobId }) => jobId),
    readers.map(({ after }) => after),
  );
  const events: JobUpdate[][] = readers.map(() => []);
  for (const { place, ...event } of rows) {
    events[place - 1]!.push(event.type === 'state' ? { ...event, data: shown(event.data, event.at) } : event);
  }
  return events;
}

/** Whether a job has ended with this event, as long as nobody gives it another life. */
export function isLastUpdate({ type, data }: JobUpdate): boolean {
  return type === 'result' || (type === 'state' && data.state !== 'completed' && isFinal(data.state));
}

/** In the words of the job itself, at the moment of the event. */
function shown({ state, attempt, runAt, error }: StoredState, at: Date): Extract<JobUpdate, { type: 'state' }>['data'] {
  const dueAt = runAt === undefined ? at : new Date(runAt);
  return {
    state: shownState({ state, attempt, runAt: dueAt }, at),
    attempt,
    ...(runAt !== undefined && { runAt: dueAt.toISOString() }),
    ...(error && { error }),
  };
}

function isFinal(state: string): boolean {
  return (finalStates as readonly string[]).includes(state);
}
