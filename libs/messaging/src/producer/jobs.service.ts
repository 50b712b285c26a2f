import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import type { BrokerRoutes } from '@app/configuration';
import {
  orderKeyOf,
  priorities,
  type BrokerName,
  type JobDefinition,
  type JobOptions,
  type PayloadOf,
} from '@app/contracts';
import {
  enqueue,
  inTransaction,
  type AcceptedJob,
  type Database,
  type NewWork,
  type OutboxWakeUp,
  type Transaction,
} from '@app/ledger';
import { brokerCapabilities } from '../drivers/configured-drivers';
import type { MessagingSignals } from '../messaging-signals';

/** One of the jobs that a parent waits for. */
export interface Child<D extends JobDefinition = JobDefinition> {
  readonly definition: D;
  readonly payload: PayloadOf<D>;
}

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
    readonly code: 'broker_not_configured' | 'priority_unsupported' | 'idempotency_key_reused',
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
    private readonly signals: MessagingSignals,
  ) {}

  /**
   * One statement, one commit. When it resolves, the job reaches its worker whatever dies.
   * @throws EnqueueRefused; or the database's error, after which the job may or may not exist: a caller who
   *   gave an idempotency key asks again with the same one.
   */
  async enqueue<D extends JobDefinition>(
    definition: D,
    payload: PayloadOf<D>,
    request: EnqueueRequest,
  ): Promise<AcceptedJob> {
    const job = await this.write(this.pool, definition, payload, [], request);
    this.committed([job], request.tenant);
    return job;
  }

  /**
   * The same as part of the caller's transaction: the job is there if, and only if, what it belongs to is. Call
   * `committed` afterwards.
   * @throws EnqueueRefused; whatever it throws, the transaction must not be committed
   */
  async enqueueWithin<D extends JobDefinition>(
    tx: Transaction,
    definition: D,
    payload: PayloadOf<D>,
    request: Omit<EnqueueRequest, 'idempotency'>,
  ): Promise<AcceptedJob> {
    return this.write(inTransaction(tx), definition, payload, [], request);
  }

  /** Tells of jobs that are committed. Without it the relay finds them too, a second later. */
  committed(jobs: readonly AcceptedJob[], tenant: string): void {
    for (const job of jobs.filter(({ replayed }) => !replayed)) {
      this.wakeUp.request();
      this.signals.emit('accepted', job, tenant);
    }
  }

  /**
   * A parent and the jobs it waits for, in one commit. The parent runs when all children are completed and finds their
   * results with `ctx.childResults()`; it fails when one of them fails or is cancelled. Delay and priority are the
   * children's too. A child has no children and no order of its own.
   */
  async enqueueFlow<D extends JobDefinition>(
    definition: D,
    payload: PayloadOf<D>,
    children: readonly [Child, ...Child[]],
    request: EnqueueRequest,
  ): Promise<AcceptedJob> {
    const ordered = children.find((child) => child.definition.orderBy);
    if (ordered)
      throw new RangeError(`${ordered.definition.kind} is ordered by a key; a child cannot wait for its turn.`);
    const job = await this.write(this.pool, definition, payload, children, request);
    this.committed([job], request.tenant);
    return job;
  }

  private async write(
    database: Database,
    definition: JobDefinition,
    payload: unknown,
    children: readonly Child[],
    { tenant, options = {}, traceparent, idempotency }: EnqueueRequest,
  ): Promise<AcceptedJob> {
    const bodyHash = idempotency && createHash('sha256').update(canonicalJson(idempotency.body)).digest();
    const newChildren = children.map((child) => this.newWork(child.definition, child.payload, options));
    const job = await enqueue(database, {
      ...this.newWork(definition, payload, options),
      tenant,
      children: newChildren,
      orderKey: orderKeyOf(definition, tenant, payload),
      priority: priorities[options.priority ?? 'normal'],
      delayMs: options.delayMs,
      // One form for PostgreSQL, whose limits on offsets and digits are its own.
      runAt: options.runAt && new Date(options.runAt).toISOString(),
      traceparent,
      idempotency: idempotency && { route: idempotency.route, key: idempotency.key, bodyHash: bodyHash! },
    });
    if (job.replayed && !job.bodyHash?.equals(bodyHash!)) {
      throw new EnqueueRefused(
        'idempotency_key_reused',
        `The Idempotency-Key "${idempotency!.key}" was used with another body. Send the first body again, or a new key.`,
      );
    }
    return job;
  }

  private newWork(definition: JobDefinition, payload: unknown, options: JobOptions): NewWork {
    return {
      definition,
      broker: this.brokerFor(definition, options),
      maxAttempts: definition.retry.attempts,
      payload,
    };
  }

  private brokerFor(definition: JobDefinition, options: JobOptions): BrokerName {
    const broker = options.broker ?? this.routes.brokerOf(definition);
    if (!this.routes.configured.includes(broker)) {
      throw new EnqueueRefused(
        'broker_not_configured',
        `expected one of the configured brokers (${this.routes.configured.join(', ')}), got "${broker}"`,
        'options.broker',
      );
    }
    if (options.priority !== undefined && brokerCapabilities[broker].priority === 'none') {
      throw new EnqueueRefused(
        'priority_unsupported',
        `${broker} has no priorities; leave the field out, or name a broker that has`,
        'options.priority',
      );
    }
    return broker;
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
