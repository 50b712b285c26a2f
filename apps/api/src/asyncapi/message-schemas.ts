import { z } from 'zod';
import type { EventDefinition, JobDefinition } from '@app/contracts';
import { messageSource } from '@app/messaging';

const specversion = z.literal('1.0');
const time = z.iso.datetime();
const traceparent = z
  .string()
  .regex(/^00-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/)
  .describe('The trace context, in the format of https://www.w3.org/TR/trace-context/.');
const tenant = z
  .string()
  .regex(/^[a-z0-9-]{1,63}$/)
  .describe('The tenant to whom it belongs.');
const typeOf = ({ kind, version }: Pick<JobDefinition, 'kind' | 'version'>) => z.literal(`${kind}.v${version}`);

/** The schema of what `encodeMessage` returns: "try job X, dispatch N". The payload stays in the ledger. */
export function jobMessageSchema(definition: Pick<JobDefinition, 'kind' | 'version'>) {
  return z.strictObject({
    specversion,
    id: z.uuid().describe('The job.'),
    source: z.literal(messageSource),
    type: typeOf(definition),
    time: time.describe('When this dispatch became due.'),
    dispatch: z
      .int32()
      .min(1)
      .describe('Rises with each dispatch of the same job; a message with an older number is ignored.'),
    dataref: z.string().describe('The reference to the job at the API.'),
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
    time: time.describe('When the event happened.'),
    datacontenttype: z.literal('application/json'),
    tenant,
    ...(key && {
      subject: z.string().describe('The key of the event.'),
      partitionkey: z.string().describe('The same as the subject.'),
    }),
    traceparent: traceparent.optional(),
    data,
  });
}

/** The schema of a message with which another service requests a job. `parseMessage` reads such a message. */
export function jobRequestSchema({ payload, ...definition }: JobDefinition) {
  return z.looseObject({
    specversion,
    id: z
      .string()
      .min(1)
      .max(1_000)
      .describe('One source and id make one job, however often the message is delivered.'),
    source: z
      .string()
      .min(1)
      .max(1_000)
      .regex(new RegExp(`^(?!${messageSource}$)`))
      .describe('Identifies the service that requests the job. The source of this system is refused.'),
    type: typeOf(definition),
    tenant: tenant.optional().describe('The tenant to whom the job belongs; `system` by default.'),
    traceparent: traceparent.optional(),
    data: payload,
  });
}
