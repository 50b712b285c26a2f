import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { shownState, toStorable, type JobState, type PayloadOf } from '@app/contracts';
import { JobsService, type JobOf } from '@app/messaging';
import { cancelJob, lastId, type AcceptedJob, type Transaction } from '@app/ledger';
import { PrismaClient, type Prisma, type WebhookAttempt } from '@app/database';
import { deliverWebhook } from './deliver-webhook';

/** The body of the request, and the id by which the receiver recognises a repeated message. */
export type WebhookMessage = Omit<PayloadOf<typeof deliverWebhook>, 'endpointId'>;

/** The endpoint that a message goes to. */
export interface Addressee {
  readonly tenant: string;
  readonly endpointId: string;
}

/** The deliveries of webhooks. Each delivery is a job; these records hold what the ledger does not. */
@Injectable()
export class Deliveries {
  constructor(
    private readonly pool: Pool,
    private readonly prisma: PrismaClient,
    private readonly jobs: JobsService,
  ) {}

  /** Enqueues a delivery in its own transaction. */
  async send(to: Addressee, message: WebhookMessage, traceparent?: string): Promise<AcceptedJob> {
    const job = await this.prisma.$transaction((tx) => this.enqueueWithin(tx, to, message, traceparent));
    this.jobs.committed([job], to.tenant);
    return job;
  }

  /** Enqueues a delivery in the caller's transaction. Call `JobsService.committed` afterwards. */
  async enqueueWithin(
    tx: Prisma.TransactionClient,
    { tenant, endpointId }: Addressee,
    message: WebhookMessage,
    traceparent?: string,
  ): Promise<AcceptedJob> {
    const job = await this.jobs.enqueueWithin(tx, deliverWebhook, { endpointId, ...message }, { tenant, traceparent });
    const { webhookId, type } = message;
    await tx.$executeRaw`
      INSERT INTO webhook_delivery (job_id, tenant, endpoint_id, webhook_id, type)
      VALUES (${job.id}::uuid, ${tenant}, ${endpointId}::uuid, ${webhookId}, ${type})`;
    return job;
  }

  /**
   * Enqueues the message of an earlier delivery again, with the same webhook-id.
   * @returns undefined when this endpoint has no such delivery
   */
  async resend(to: Addressee, jobId: string, traceparent?: string): Promise<AcceptedJob | undefined> {
    const [row] = await this.prisma.$queryRaw<{ payload: unknown }[]>`
      SELECT payload FROM job JOIN webhook_delivery ON job_id = job.id
       WHERE job.id = ${jobId}::uuid AND webhook_delivery.tenant = ${to.tenant} AND endpoint_id = ${to.endpointId}::uuid`;
    if (!row) return undefined;
    return this.send(to, deliverWebhook.payload.parse(row.payload), traceparent);
  }

  /**
   * Logs an attempt. A job without a delivery has no log: its endpoint was deleted, or another service requested the
   * job.
   */
  async recordAttempt(
    tx: Transaction,
    { id: jobId, tenant, attempt }: Pick<JobOf<typeof deliverWebhook>, 'id' | 'tenant' | 'attempt'>,
    { ms, status, answer, error }: Pick<WebhookAttempt, 'ms' | 'status' | 'answer' | 'error'>,
  ): Promise<void> {
    await tx.$executeRaw`
      INSERT INTO webhook_attempt (tenant, job_id, attempt, ms, status, answer, error)
      SELECT tenant, job_id, ${attempt}::smallint, ${ms}::int, ${status}::smallint, ${toStorable(answer)},
             ${error === null ? null : toStorable(error)}
        FROM webhook_delivery WHERE job_id = ${jobId}::uuid AND tenant = ${tenant}`;
  }

  /**
   * Lists deliveries, newest first, with their attempts, oldest first. `nextAttemptAt` is null when no further attempt is
   * planned.
   * @param before the job of the last delivery on the previous page
   */
  async list({ tenant, endpointId }: Addressee, before: string | undefined, limit: number) {
    const rows = await this.prisma.$queryRaw<
      {
        jobId: string;
        webhookId: string;
        type: string;
        state: JobState;
        attempt: number;
        createdAt: Date;
        runAt: Date;
        now: Date;
      }[]
    >`
      SELECT job.id AS "jobId", webhook_id AS "webhookId", type, state::text, attempt, created_at AS "createdAt",
             run_at AS "runAt", now() AS now
        FROM webhook_delivery JOIN job ON job.id = job_id
       WHERE webhook_delivery.tenant = ${tenant} AND endpoint_id = ${endpointId}::uuid
         AND job_id < ${before ?? lastId}::uuid
       ORDER BY job_id DESC
       LIMIT ${limit}::int`;
    const attempts = await this.prisma.webhookAttempt.findMany({
      where: { tenant, jobId: { in: rows.map(({ jobId }) => jobId) } },
      orderBy: { id: 'asc' },
    });
    return rows.map(({ now, runAt, attempt, ...row }) => ({
      ...row,
      state: shownState({ state: row.state, runAt, attempt }, now),
      nextAttemptAt: row.state === 'queued' ? runAt : null,
      attempts: attempts
        .filter(({ jobId }) => jobId === row.jobId)
        .map(({ attempt: n, at, ms, status, answer, error }) => ({ attempt: n, at, ms, status, answer, error })),
    }));
  }

  /** @returns the jobs of the endpoint's open deliveries, for cancelling them */
  async open({ tenant, endpointId }: Addressee): Promise<string[]> {
    const rows = await this.prisma.$queryRaw<{ id: string }[]>`
      SELECT job.id FROM webhook_delivery JOIN job ON job.id = job_id
       WHERE webhook_delivery.tenant = ${tenant} AND endpoint_id = ${endpointId}::uuid AND state IN ('queued', 'active')
       ORDER BY job.id`;
    return rows.map(({ id }) => id);
  }

  async cancel(tenant: string, jobIds: readonly string[]): Promise<void> {
    for (const id of jobIds) await cancelJob(this.pool, tenant, id);
  }
}
