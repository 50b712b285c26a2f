import { deliverWebhook, Deliveries, Endpoints, signedHeaders, type Recipient } from '@app/features/webhook';
import {
  Bulkhead,
  done,
  fail,
  JobHandler,
  reasonOf,
  retry,
  snooze,
  type Handler,
  type JobContext,
  type JobOf,
} from '@app/messaging';
import { PrismaClient } from '@app/database';
import { WebhookClient, type WebhookAnswer } from './webhook-client';

/** The longest wait, whatever the endpoint asks for. */
const longestWaitSeconds = 4 * 60 * 60;

/** The answer of an endpoint that was removed for good (Standard Webhooks). */
const gone = 410;

type Job = JobOf<typeof deliverWebhook>;

interface Attempt {
  readonly ms: number;
  readonly outcome: WebhookAnswer | Error;
}

@JobHandler(deliverWebhook)
export class DeliverWebhookHandler implements Handler<typeof deliverWebhook> {
  constructor(
    private readonly prisma: PrismaClient,
    private readonly endpoints: Endpoints,
    private readonly deliveries: Deliveries,
    private readonly client: WebhookClient,
    private readonly perEndpoint: Bulkhead,
  ) {}

  async handle(job: Job, context: JobContext) {
    const { tenant, payload } = job;
    const recipient = await this.endpoints.recipient(tenant, payload.endpointId);
    if (!recipient) return fail('The endpoint was deleted.');
    if (recipient.isDisabled) return fail('The endpoint is disabled. Enable it, and send this again.');

    const entered = this.perEndpoint.enter(payload.endpointId);
    if ('waitMs' in entered) return snooze(`${entered.waitMs}ms`);
    try {
      const attempt = await this.send(job, recipient, context.signal);
      // An answer counts, even when the job was asked to stop meanwhile.
      if (attempt.outcome instanceof Error) context.signal.throwIfAborted();
      return await this.conclude(job, attempt, context);
    } finally {
      entered.leave();
    }
  }

  private async send({ payload }: Job, { url, secrets }: Recipient, signal: AbortSignal): Promise<Attempt> {
    const { webhookId, type, timestamp, data } = payload;
    const body = JSON.stringify({ type, timestamp, data });
    const headers = signedHeaders({ id: webhookId, at: new Date(), body }, secrets);
    const startedAt = performance.now();
    const outcome = await this.client.post(url, headers, body, signal).catch((error: unknown) => error as Error);
    return { ms: Math.round(performance.now() - startedAt), outcome };
  }

  private async conclude(job: Job, { ms, outcome }: Attempt, { transaction }: JobContext) {
    if (outcome instanceof Error) {
      const error = reasonOf(outcome);
      await this.deliveries.recordAttempt(this.prisma, job, { ms, status: null, answer: '', error });
      return retry(error);
    }
    const { status, text: answer, retryAfterSeconds } = outcome;
    if (status >= 200 && status < 300) {
      return transaction(async (tx) => {
        await this.deliveries.recordAttempt(tx, job, { ms, status, answer, error: null });
        return done({ status });
      });
    }
    const error = faultOf(outcome);
    await this.deliveries.recordAttempt(this.prisma, job, { ms, status, answer, error });
    if (status === gone) {
      await this.endpoints.disable(job.tenant, job.payload.endpointId, error);
      return fail(error);
    }
    return retryAfterSeconds ? retry(error, `${Math.min(retryAfterSeconds, longestWaitSeconds)}s`) : retry(error);
  }
}

function faultOf({ status }: WebhookAnswer): string {
  if (status === gone) return 'The endpoint answered 410 Gone; it was disabled.';
  if (status >= 300 && status < 400) return `The endpoint answered ${status}; redirects are not followed.`;
  return `The endpoint answered ${status}.`;
}
