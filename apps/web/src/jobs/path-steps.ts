import { isFinal, type Job } from '../api/jobs';

export const stations = ['api', 'outbox', 'broker', 'worker', 'effect'] as const;

export type Station = (typeof stations)[number];

/** The light of a station: not reached, the job is here, passed, the job failed here, or the job stopped here. */
export type Light = 'idle' | 'now' | 'done' | 'failed' | 'stopped';

/** Derives the lights from the job's `place`, which the ledger records. The state alone does not decide any light. */
export function lightsOf({ state, place }: Pick<Job, 'state' | 'place'>): Record<Station, Light> {
  const reached = (outbox: Light, broker: Light, worker: Light, effect: Light) => ({
    api: 'done' as const,
    outbox,
    broker,
    worker,
    effect,
  });
  switch (place) {
    case 'outbox':
      return reached('now', 'idle', 'idle', 'idle');
    case 'broker':
      return reached('done', 'now', 'idle', 'idle');
    case 'worker':
      if (state === 'completed') return reached('done', 'done', 'done', 'done');
      return reached('done', 'done', state === 'active' ? 'now' : state === 'failed' ? 'failed' : 'stopped', 'idle');
    default:
      return isLeaseExpired({ state, place })
        ? reached('done', 'done', 'stopped', 'idle')
        : reached('idle', 'idle', 'idle', 'idle');
  }
}

/** Whether the worker's lease has expired and the relay has not yet put the job back into the outbox. */
export const isLeaseExpired = ({ state, place }: Pick<Job, 'state' | 'place'>) =>
  state === 'active' && place === 'ledger';

/** Returns the number of the last failed attempt of a job that still runs or waits; undefined if there is none. */
export function failedAttempt(job: Job): number | undefined {
  if (isFinal(job) || job.error === null) return undefined;
  const attempt = job.state === 'active' ? job.attempt - 1 : job.attempt;
  return attempt > 0 ? attempt : undefined;
}
