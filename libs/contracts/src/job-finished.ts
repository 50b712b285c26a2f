import { z } from 'zod';
import { defineEvent } from './define-event';
import { finalStates } from './job-state';

/**
 * A job has reached a final state. The event holds neither payload nor result: a subscriber with the right to see them
 * reads them from the job.
 */
export const jobFinished = defineEvent({
  kind: 'job.finished',
  version: 1,
  broker: 'rabbitmq',
  data: z.object({
    id: z.uuid(),
    kind: z.string(),
    state: z.enum(finalStates),
    attempt: z.int(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    finishedAt: z.iso.datetime({ offset: true }),
  }),
  key: ({ id }) => id,
  // A use case that subscribes adds its name: see `finishedJobs` in libs/features/webhook.
  subscribers: [],
});
