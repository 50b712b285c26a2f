import { isFinal, type Job } from '../api/jobs';

export const stations = ['api', 'outbox', 'broker', 'worker', 'effect'] as const;

export type Station = (typeof stations)[number];

/** What a station has to do with a job: nothing yet, it has it now, it is through, or it ended there. */
export type Light = 'idle' | 'now' | 'done' | 'failed' | 'stopped';

/** The lights of a job, from what the ledger says of its place; nothing is inferred from its state alone. */
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

/** The worker gave no heartbeat for a lease; the relay has not put the job back into the outbox yet. */
export const isLeaseExpired = ({ state, place }: Pick<Job, 'state' | 'place'>) =>
  state === 'active' && place === 'ledger';

/** The number of the attempt whose failure a job has not got over yet; undefined where there is none. */
export function failedAttempt(job: Job): number | undefined {
  if (isFinal(job) || job.error === null) return undefined;
  const attempt = job.state === 'active' ? job.attempt - 1 : job.attempt;
  return attempt > 0 ? attempt : undefined;
}
