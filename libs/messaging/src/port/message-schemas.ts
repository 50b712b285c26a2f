import { z } from 'zod';
import type { EventDefinition, JobDefinition } from '@app/contracts';
import { messageSource } from './job-message';

const specversion = z.literal('1.0');
const time = z.iso.datetime();
const traceparent = z
  .string()
  .regex(/^00-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/)
  .describe('The trace that this belongs to, as https://www.w3.org/TR/trace-context/ has it.');
const tenant = z
  .string()
  .regex(/^[a-z0-9-]{1,63}$/)
  .describe('For whom.');
const typeOf = ({ kind, version }: Pick<JobDefinition, 'kind' | 'version'>) => z.literal(`${kind}.v${version}`);

/** The schema of what `encodeMessage` returns: "try job X, dispatch N". The payload stays in the ledger. */
export function jobMessageSchema(definition: Pick<JobDefinition, 'kind' | 'version'>) {
  return z.strictObject({
    specversion,
    id: z.uuid().describe('The job.'),
    source: z.literal(messageSource),
    type: typeOf(definition),
    time: time.describe('When this dispatch became due.'),
    dispatch: z.int32().min(1).describe('Rises with each message about the same job; only the last one counts.'),
    dataref: z.string().describe('Where the job is to be had, at the API.'),
    traceparent: traceparent.optional(),
  });
}

/** The schema of what `encodeEvent` returns. */
export function eventMessageSchema({ key, data, ...definition }: EventDefinition) {
  return z.strictObject({
    specversion,
    id: z.uuid(),
    source: z.literal(messageSource),
    type: typeOf(definition),
    time: time.describe('When it became true.'),
    datacontenttype: z.literal('application/json'),
    tenant,
    ...(key && {
      subject: z.string().describe('What it is about.'),
      partitionkey: z.string().describe('The same as the subject.'),
    }),
    traceparent: traceparent.optional(),
    data,
  });
}

/** The schema of a request for a job from another service, as `parseMessage` accepts it. */
export function jobRequestSchema({ payload, ...definition }: JobDefinition) {
  return z.looseObject({
    specversion,
    id: z.string().min(1).max(1_000).describe('With the source, it makes one job, however often it comes.'),
    source: z
      .string()
      .min(1)
      .max(1_000)
      .regex(new RegExp(`^(?!${messageSource}$)`))
      .describe('Names the service that asks. Any but ours.'),
    type: typeOf(definition),
    tenant: tenant.optional().describe('For whom; `system` where it does not say so.'),
    traceparent: traceparent.optional(),
    data: payload,
  });
}
