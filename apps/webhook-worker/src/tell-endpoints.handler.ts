import type { jobFinished } from '@app/contracts';
import { EventHandler, JobsService, type AfterCommit, type EventOf, type HandlesEvents } from '@app/messaging';
import type { AcceptedJob } from '@app/ledger';
import type { Prisma } from '@app/database';
import { Deliveries, Endpoints, finishedJobs, type Endpoint } from '@app/features/webhook';

/**
 * Enqueues a message for each finished job to each endpoint that subscribed to it, one job after another, in one
 * commit.
 */
@EventHandler(finishedJobs)
export class TellEndpointsHandler implements HandlesEvents<typeof jobFinished> {
  constructor(
    private readonly endpoints: Endpoints,
    private readonly deliveries: Deliveries,
    private readonly jobs: JobsService,
  ) {}

  async handle(events: readonly EventOf<typeof jobFinished>[], tx: Prisma.TransactionClient): Promise<AfterCommit> {
    const listening = await this.endpoints.listening(tx, [...new Set(events.flatMap(({ tenant }) => tenant ?? []))]);
    const accepted: { tenant: string; job: AcceptedJob }[] = [];
    for (const { id, kind, at, tenant, data, traceparent } of events) {
      const timestamp = (at ?? new Date(data.finishedAt)).toISOString();
      for (const endpoint of listening.filter((each) => each.tenant === tenant && wants(each, data))) {
        const to = { tenant: endpoint.tenant, endpointId: endpoint.id };
        const message = { webhookId: id, type: kind, timestamp, data };
        accepted.push({ tenant: to.tenant, job: await this.deliveries.enqueueWithin(tx, to, message, traceparent) });
      }
    }
    return () => {
      for (const { tenant, job } of accepted) this.jobs.committed([job], tenant);
    };
  }
}

/** An empty list of kinds or of states means all of them. */
function wants({ kinds, states }: Pick<Endpoint, 'kinds' | 'states'>, job: { kind: string; state: string }): boolean {
  return (kinds.length === 0 || kinds.includes(job.kind)) && (states.length === 0 || states.includes(job.state));
}
