/** The states that the ledger stores. `transitions` lists how a job moves between them. */
export const jobStates = ['waiting', 'queued', 'active', 'completed', 'failed', 'cancelled'] as const;

export type JobState = (typeof jobStates)[number];

export const finalStates = ['completed', 'failed', 'cancelled'] as const satisfies readonly JobState[];

/** All allowed transitions. The SQL statements are guarded so that no other one can happen. */
export const transitions = [
  { from: null, to: 'queued', by: 'enqueue' },
  { from: null, to: 'waiting', by: 'enqueue' },
  { from: 'waiting', to: 'queued', by: 'children done' },
  { from: 'waiting', to: 'failed', by: 'child failed' },
  { from: 'waiting', to: 'cancelled', by: 'cancel' },
  { from: 'queued', to: 'active', by: 'claim' },
  { from: 'active', to: 'completed', by: 'done' },
  { from: 'active', to: 'queued', by: 'retry' },
  { from: 'active', to: 'queued', by: 'snooze' },
  { from: 'active', to: 'queued', by: 'sweep' },
  { from: 'active', to: 'queued', by: 'hand-back' },
  { from: 'active', to: 'failed', by: 'fail' },
  { from: 'active', to: 'failed', by: 'sweep' },
  { from: 'active', to: 'cancelled', by: 'cancel' },
  { from: 'active', to: 'cancelled', by: 'sweep' },
  { from: 'queued', to: 'cancelled', by: 'cancel' },
  { from: 'queued', to: 'failed', by: 'message refused' },
  { from: 'queued', to: 'queued', by: 'reconcile' },
  { from: 'failed', to: 'queued', by: 'redrive' },
  { from: 'failed', to: 'waiting', by: 'redrive' },
] as const satisfies readonly { from: JobState | null; to: JobState; by: string }[];

/** The states that a caller sees: a queued job that is due later is `scheduled`, or `retrying` after an attempt. */
export const shownStates = [...jobStates, 'scheduled', 'retrying'] as const;

export type ShownState = (typeof shownStates)[number];

/**
 * Where a job is, or was when it ended. `outbox`: committed, and not yet confirmed by a broker. `broker`: published,
 * and not yet claimed. `worker`: an attempt runs. `ledger`: in none of them, because it waits for its children, or
 * because the lease of its worker has expired and the relay has not swept it yet.
 */
export const jobPlaces = ['ledger', 'outbox', 'broker', 'worker'] as const;

export type JobPlace = (typeof jobPlaces)[number];

export function shownState(job: { state: JobState; runAt: Date; attempt: number }, now: Date): ShownState {
  if (job.state !== 'queued' || job.runAt <= now) return job.state;
  return job.attempt === 0 ? 'scheduled' : 'retrying';
}
