import { z } from 'zod';
import { defineJob, exponential } from '@app/contracts';

/** Builds the search model of a tenant again, beside the one in use. */
export const syncRun = defineJob({
  kind: 'sync.run',
  version: 1,
  queue: 'sync',
  broker: 'kafka',
  payload: z.strictObject({ source: z.enum(['products']).describe('The source of the search model.') }),
  result: z.strictObject({
    read: z.int().describe('Products that were read.'),
    written: z.int().describe('Products that were written to the new model.'),
    skipped: z.int().describe('Products that the new model already had, from an event or an earlier attempt.'),
  }),
  retry: exponential({ attempts: 5, base: '1s', max: '1m', jitter: 'full' }),
  timeout: '10m',
  concurrency: 2,
  // Two concurrent runs would build the same model twice.
  orderBy: ({ source }) => source,
});
