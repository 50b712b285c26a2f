import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { BrokerRoutes } from '@app/configuration';
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
  type NewJob,
  type NewWork,
  OutboxWakeUp,
  type Transaction,
} from '@app/ledger';
import { brokerCapabilities } from '../drivers/configured-drivers';
import { MessagingSignals } from '../messaging-signals';
import { EnqueueBatcher } from './enqueue-batcher';

/** One of the jobs that a parent waits for. */
export interface Child<D extends JobDefinition = JobDefinition> {
  readonly definition: D;
  readonly payload: PayloadOf<D>;
}

export interface EnqueueRequest {
  readonly tenant: string;
  readonly options?: JobOptions | undefined;
  readonly traceparent?: string | undefined;
  /** The caller's key, the route that it is valid for, and the body of the request. */
  readonly idempotency?: { readonly route: string; readonly key: string; readonly body: unknown } | undefined;
}

/** The request cannot be accepted. `code` is stable. */
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

/** The producer: turns a parsed payload into a committed job. */
@Injectable()
export class JobsService {
  private readonly batcher: EnqueueBatcher;

  constructor(
    pool: Pool,
    private readonly wakeUp: OutboxWakeUp,
    private readonly routes: BrokerRoutes,
    private readonly signals: MessagingSignals,
  ) {
    this.batcher = new EnqueueBatcher(pool);
  }

  /**
   * Accepts a job in one statement and one commit, which requests of the same moment share. When it resolves, the job
   * reaches its worker even if any process dies.
   * @throws EnqueueRefused; the database's error, after which the job may or may not exist. A caller with an
   *   idempotency key then repeats the request with the same key
   */
  async enqueue<D extends JobDefinition>(
    definition: D,
    payload: PayloadOf<D>,
    request: EnqueueRequest,
  ): Promise<AcceptedJob> {
    const job = await this.write((job) => this.batcher.add(job), definition, payload, [], request);
    if (job.replayed) this.signals.emit('replayed', job);
    this.committed([job], request.tenant);
    return job;
  }

  /**
   * Accepts a job in the caller's transaction: it exists if, and only if, that transaction commits. Call `committed`
   * afterwards.
   * @throws EnqueueRefused; after any error the transaction must not be committed
   */
  async enqueueWithin<D extends JobDefinition>(
    tx: Transaction,
    definition: D,
    payload: PayloadOf<D>,
    request: Omit<EnqueueRequest, 'idempotency'>,
  ): Promise<AcceptedJob> {
    return this.write((job) => enqueue(inTransaction(tx), job), definition, payload, [], request);
  }

  /**
   * Announces committed jobs and wakes the relay. Without this call the relay finds the jobs at its next poll, at most
   * one second later.
   */
  committed(jobs: readonly AcceptedJob[], tenant: string): void {
    for (const job of jobs.filter(({ replayed }) => !replayed)) {
      this.wakeUp.request();
      this.signals.emit('accepted', job, tenant);
    }
  }

  /**
   * Accepts a parent and the jobs that it waits for, in one commit. The parent runs when all children are completed and
   * reads their results with `ctx.childResults()`. It fails when a child fails or is cancelled. Delay and priority
   * apply to the children too. A child has no children and no order key.
   * @throws RangeError for a child of an ordered kind; otherwise like `enqueue`
   */
  async enqueueFlow<D extends JobDefinition>(
    definition: D,
    payload: PayloadOf<D>,
    children: readonly [Child, ...Child[]],
    request: EnqueueRequest,
  ): Promise<AcceptedJob> {
    const ordered = children.find(({ definition: { orderBy } }) => orderBy)?.definition;
    if (ordered) throw new RangeError(`${ordered.kind} is ordered by a key; a child cannot wait for its turn.`);
    const works = children.map((child) => this.newWork(child.definition, child.payload, request.options ?? {}));
    const job = await this.write((job) => this.batcher.add(job), definition, payload, works, request);
    this.committed([job], request.tenant);
    this.signals.emit(
      'children_accepted',
      works.map(({ definition: { kind }, broker }) => ({ kind, broker })),
    );
    return job;
  }

  private async write(
    accept: (job: NewJob) => Promise<AcceptedJob>,
    definition: JobDefinition,
    payload: unknown,
    children: readonly NewWork[],
    { tenant, options = {}, traceparent, idempotency }: EnqueueRequest,
  ): Promise<AcceptedJob> {
    const key = idempotency && { ...idempotency, bodyHash: bodyHashOf(idempotency.body) };
    const job = await accept({
      ...this.newWork(definition, payload, options),
      tenant,
      children,
      orderKey: orderKeyOf(definition, tenant, payload),
      priority: priorities[options.priority ?? 'normal'],
      delayMs: options.delayMs,
      // One format for PostgreSQL, whose limits on offsets and digits differ.
      runAt: options.runAt && new Date(options.runAt).toISOString(),
      traceparent,
      idempotency: key,
    });
    if (job.replayed && !job.bodyHash?.equals(key!.bodyHash)) {
      throw new EnqueueRefused(
        'idempotency_key_reused',
        `The Idempotency-Key "${key!.key}" was used with another body. Send the first body again, or a new key.`,
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

/** Equal for bodies that are equal as JSON, in whatever order their fields are: RFC 8785. */
function bodyHashOf(body: unknown): Buffer {
  return createHash('sha256')
    .update(canonicalize(body) ?? '')
    .digest();
}
