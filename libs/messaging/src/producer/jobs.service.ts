import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { priorities, type BrokerName, type JobDefinition, type JobOptions, type PayloadOf } from '@app/contracts';
import { enqueue, type AcceptedJob, type OutboxWakeUp } from '@app/persistence';
import type { MessagingEvents } from '../messaging-events';
import type { BrokerRoutes } from './broker-routes';

export interface EnqueueRequest {
  readonly tenant: string;
  readonly options?: JobOptions | undefined;
  readonly traceparent?: string | undefined;
  /** The key that the caller gave, the route it counts for, and the body it came with. */
  readonly idempotency?: { readonly route: string; readonly key: string; readonly body: unknown } | undefined;
}

/** The caller's request cannot be kept, and why; `code` is stable. */
export class EnqueueRefused extends Error {
  constructor(
    readonly code: 'broker_not_configured' | 'idempotency_key_reused',
    message: string,
    readonly path?: string,
  ) {
    super(message);
    this.name = 'EnqueueRefused';
  }
}

/** The producer's side: from a parsed payload to a job that is committed. */
export class JobsService {
  constructor(
    private readonly pool: Pool,
    private readonly wakeUp: OutboxWakeUp,
    private readonly routes: BrokerRoutes,
    private readonly events: MessagingEvents,
  ) {}

  /**
   * One statement, one commit. When it resolves, the job reaches its worker whatever dies.
   * @throws EnqueueRefused; or the database's error, after which the job may or may not exist: a caller who
   *   gave an idempotency key asks again with the same one.
   */
  async enqueue<D extends JobDefinition>(
    definition: D,
    payload: PayloadOf<D>,
    { tenant, options = {}, traceparent, idempotency }: EnqueueRequest,
  ): Promise<AcceptedJob> {
    const bodyHash = idempotency && createHash('sha256').update(canonicalJson(idempotency.body)).digest();
    const job = await enqueue(this.pool, {
      id: uuidv7(),
      tenant,
      definition,
      broker: this.brokerFor(definition, options.broker),
      priority: priorities[options.priority ?? 'normal'],
      maxAttempts: definition.retry.attempts,
      delayMs: options.delayMs,
      // One form for PostgreSQL, whose limits on offsets and digits are its own.
      runAt: options.runAt && new Date(options.runAt).toISOString(),
      payload,
      traceparent,
      idempotency: idempotency && { route: idempotency.route, key: idempotency.key, bodyHash: bodyHash! },
    });
    if (!job.replayed) {
      this.wakeUp.request();
      this.events.emit('accepted', job, tenant);
    } else if (!job.bodyHash?.equals(bodyHash!)) {
      throw new EnqueueRefused(
        'idempotency_key_reused',
        `The Idempotency-Key "${idempotency!.key}" was used with another body. Send the first body again, or a new key.`,
      );
    }
    return job;
  }

  private brokerFor(definition: JobDefinition, requested: BrokerName | undefined): BrokerName {
    if (requested === undefined) return this.routes.brokerOf(definition);
    if (this.routes.configured.includes(requested)) return requested;
    throw new EnqueueRefused(
      'broker_not_configured',
      `expected one of the configured brokers (${this.routes.configured.join(', ')}), got "${requested}"`,
      'options.broker',
    );
  }
}

/** Equal bodies have one hash, however their fields were ordered. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
