import { z } from 'zod';
import { finalStates, storableText } from '@app/contracts';
import { jobDefinitions } from '@app/features/catalogue';
import type { Endpoint, Endpoints } from '@app/features/webhook';
import { isUuid, Problem, quoted } from '@app/http';

/** A `Date` in code, and text in the answer: JSON.stringify writes a date in ISO 8601. */
export const moment = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
});

const announcedKinds = jobDefinitions.filter(({ announced }) => announced).map(({ kind }) => kind);

/** The body of `POST /v1/webhooks`. */
export const newWebhook = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, normalize: true })
    .max(2_000)
    .describe('https (in development also http), on the public Internet'),
  description: storableText.max(500).default(''),
  kinds: z
    .array(z.enum(announcedKinds))
    .max(50)
    .default([])
    .describe('the kinds of jobs to report; an empty list means all kinds'),
  states: z
    .array(z.enum(finalStates))
    .max(finalStates.length)
    .default([])
    .describe('the final states to report; an empty list means all of them'),
});

export const webhookView = z.object({
  id: z.uuid(),
  url: z.string(),
  description: z.string(),
  kinds: z.array(z.string()),
  states: z.array(z.string()),
  createdAt: moment,
  previousSecretUntil: moment.nullable().describe('until then, messages are also signed with the previous secret'),
  disabledAt: moment.nullable(),
  disabledReason: z.string().nullable(),
});

export const webhookWithSecret = webhookView.extend({
  secret: z.string().describe('`whsec_…`, the secret for checking signatures. It is shown only once.'),
});

/** Reads a webhook of the tenant. @throws Problem 404, also for a webhook of another tenant */
export async function findWebhook(endpoints: Endpoints, tenant: string, id: string): Promise<Endpoint> {
  const endpoint = isUuid(id) ? await endpoints.read(tenant, id) : undefined;
  if (endpoint) return endpoint;
  const detail = `No webhook of yours has the id ${quoted(id)}.`;
  throw new Problem(404, 'webhook_not_found', 'There is no such webhook', detail);
}
