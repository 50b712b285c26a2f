import { createHash } from 'node:crypto';
import { v5 as uuidv5 } from 'uuid';
import { orderKeyOf, priorities, systemTenant, type BrokerName, type JobDefinition } from '@app/contracts';
import type { NewJob } from '@app/ledger';
import type { ForeignEvent } from '../../port/job-message';
import { payloadOf } from './payload';

/** RFC 9562, 6.6: a namespace of our own for keys made from the names that others give. */
const adoptedKeys = '6a1b5c0e-4c1f-4d0c-9a53-0f4f2b8f9d11';

/**
 * A CloudEvent that another service has put on our queue becomes a job like any other: into the ledger and the
 * outbox, from where our relay publishes it. However often the event comes, `source` and `id` make it one job.
 * @returns what is to be enqueued
 * @throws PayloadRefused
 */
export function newJobOfForeignEvent(
  definition: JobDefinition,
  { source, id, kind, version, tenant = systemTenant, traceparent, data = null }: ForeignEvent,
  broker: BrokerName,
): NewJob {
  const orderKey = orderKeyOf(definition, tenant, payloadOf(definition, version, data));
  const key = uuidv5(JSON.stringify([source, id]), adoptedKeys);
  return {
    tenant,
    definition: { kind, version, queue: definition.queue, announced: definition.announced },
    broker,
    priority: priorities.normal,
    maxAttempts: definition.retry.attempts,
    delayMs: undefined,
    runAt: undefined,
    payload: data,
    traceparent,
    orderKey,
    idempotency: {
      route: 'event',
      key,
      bodyHash: createHash('sha256').update(JSON.stringify(data)).digest(),
    },
    children: [],
  };
}
