import { z } from 'zod';
import { defineJob, exponential } from '@app/contracts';

/**
 * One message to one endpoint of a tenant. Where it goes and what it is signed with is read at each attempt: neither
 * an address with a token in it nor a secret travels with a job.
 */
export const deliverWebhook = defineJob({
  kind: 'webhook.deliver',
  version: 1,
  queue: 'webhook',
  broker: 'rabbitmq',
  payload: z.strictObject({
    endpointId: z.uuid(),
    webhookId: z.string().min(1).max(100).describe('The same at every attempt, and when it is sent again by hand.'),
    type: z.string().max(100),
    timestamp: z.iso.datetime({ offset: true }).describe('When what it tells of became true.'),
    data: z.record(z.string(), z.unknown()),
  }),
  result: z.strictObject({ status: z.int().describe('What the endpoint answered.') }),
  // 8 hours on average, 16.6 at most: the first attempts get past a restart, the last ones past a bad night.
  retry: exponential({ attempts: 18, base: '1s', max: '4h', jitter: 'full' }),
  timeout: '30s',
  concurrency: 100,
  // The endpoints are the tenant's, and may take as long as the client waits.
  concurrencyPerTenant: 20,
  // Otherwise a webhook that was delivered would be news, and news are delivered.
  announced: false,
});
