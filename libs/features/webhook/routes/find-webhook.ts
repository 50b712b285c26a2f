import type { Endpoint, Endpoints } from '@app/features/webhook';
import { isUuid, Problem, quoted } from '@app/http';

/** Reads a webhook of the tenant. @throws Problem 404, also for a webhook of another tenant */
export async function findWebhook(endpoints: Endpoints, tenant: string, id: string): Promise<Endpoint> {
  const endpoint = isUuid(id) ? await endpoints.read(tenant, id) : undefined;
  if (!endpoint) throw webhookNotFound(id);
  return endpoint;
}

export function webhookNotFound(id: string): Problem {
  return new Problem(
    404,
    'webhook_not_found',
    'There is no such webhook',
    `No webhook of yours has the id ${quoted(id)}.`,
  );
}
