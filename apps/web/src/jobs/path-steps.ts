import { isFinal, type Job } from '../api/jobs';

export const stations = ['api', 'outbox', 'broker', 'worker', 'effect'] as const;

export type Station = (typeof stations)[number];

/** What a station has to do with a job: nothing yet, it has it now, it is through, or it ended there. */
export type Light = 'idle' | 'now' | 'done' | 'failed' | 'stopped';

/** How far a job has come. Between the outbox and the worker nobody looks: there it is on its way. */
export function lightsOf(job: Job): Record<Station, Light> {
  const reached = (outbox: Light, broker: Light, worker: Light, effect: Light) => ({
    api: 'done' as const,
    outbox,
    broker,
    worker,
    effect,
  });
  switch (job.state) {
    case 'waiting':
    case 'scheduled':
    case 'retrying':
      return reached('now', 'idle', 'idle', 'idle');
    case 'queued':
      return reached('now', 'now', 'idle', 'idle');
    case 'active':
      return reached('done', 'done', 'now', 'idle');
    case 'completed':
      return reached('done', 'done', 'done', 'done');
    case 'failed':
      return reached('done', 'done', 'failed', 'idle');
    case 'cancelled':
      return job.startedAt === null
        ? reached('stopped', 'idle', 'idle', 'idle')
        : reached('done', 'done', 'stopped', 'idle');
  }
}

/** A failed attempt that is not the last one: the job goes back to the outbox. */
export const isOnItsWayBack = (job: Job) => job.attempt > 0 && !isFinal(job) && job.error !== null;
