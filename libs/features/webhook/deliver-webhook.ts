import { z } from 'zod';
import { defineJob, exponential } from '@app/contracts';

/**
 * Sends one message to one endpoint of a tenant. Each attempt reads the address and the secret, so that a job holds
 * neither a token in an address nor a secret.
 */
export const deliverWebhook = defineJob({
  kind: 'webhook.deliver',
  version: 1,
  queue: 'webhook',
  broker: 'rabbitmq',
  payload: z.strictObject({
    endpointId: z.uuid(),
    webhookId: z
      .string()
      .min(1)
      .max(100)
      .describe('The same at every attempt, and when a caller sends the message again.'),
    type: z.string().max(100),
    timestamp: z.iso.datetime({ offset: true }).describe('When the reported event happened.'),
    data: z.record(z.string(), z.unknown()),
  }),
  result: z.strictObject({ status: z.int().describe('The HTTP status of the answer of the endpoint.') }),
  // 8 hours on average, 16.6 at most: the first retries cover a restart, the last ones an outage of a night.
  retry: exponential({ attempts: 18, base: '1s', max: '4h', jitter: 'full' }),
  timeout: '30s',
  concurrency: 100,
  // The endpoints belong to the tenant and may take as long as the client waits.
  concurrencyPerTenant: 20,
  // Otherwise each delivered webhook would publish an event, which would be delivered as a webhook again.
  announced: false,
  // Its delivery is a row beside it.
  replaceable: false,
});
