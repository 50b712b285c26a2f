import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import type { JobDefinition } from '@app/contracts';
import { JobsService } from '@app/messaging';
import type { Caller } from '../http/caller';
import type { JobBody } from './job-body';
import { pathOf, viewOfAccepted, type JobView } from './job-view';

/** What every route that makes a job does with its parsed body. */
@Injectable()
export class JobIntake {
  constructor(private readonly jobs: JobsService) {}

  async accept<D extends JobDefinition>(
    definition: D,
    body: JobBody<D>,
    caller: Caller,
    response: Response,
  ): Promise<JobView> {
    const { tenant, traceparent, route, idempotencyKey } = caller;
    const job = await this.jobs.enqueue(definition, body.payload, {
      tenant,
      traceparent,
      options: body.options,
      idempotency: idempotencyKey === undefined ? undefined : { route, key: idempotencyKey, body: body.raw },
    });
    response.status(202).location(pathOf(job));
    if (job.replayed) response.set('Idempotency-Replayed', 'true');
    return viewOfAccepted(job);
  }
}
