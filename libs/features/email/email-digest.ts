import { z } from 'zod';
import { defineJob, exponential } from '@app/contracts';
import { emailReceipt, sendEmail } from './send-email';

const moment = z.iso.datetime();

/** An email to the operators: how many jobs of each kind ended in each state. A schedule creates it. */
export const emailDigest = defineJob({
  kind: 'email.digest',
  version: 1,
  queue: sendEmail.queue,
  broker: 'bullmq',
  payload: z.strictObject({
    to: z.email().max(254),
    from: moment.describe('Start of the period: jobs that were accepted at this time or later.'),
    until: moment.describe('End of the period: jobs that were accepted before this time.'),
  }),
  result: emailReceipt.extend({ jobs: z.int().describe('The number of jobs in the digest.') }),
  retry: exponential({ attempts: 5, base: '10s', max: '10m', jitter: 'full' }),
  timeout: '1m',
  concurrency: 1,
  rateLimit: { max: 100, per: '1s' },
});
