import { jobFinished } from '@app/contracts';

/** The subscription of the webhook worker to the ends of jobs. */
export const finishedJobs = { event: { ...jobFinished, subscribers: ['webhooks'] }, subscriber: 'webhooks' } as const;
