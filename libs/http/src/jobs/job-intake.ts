import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { shownState, type JobDefinition } from '@app/contracts';
import { JobsService, type Child } from '@app/messaging';
import type { AcceptedJob } from '@app/ledger';
import type { Caller } from '../request/caller';
import type { JobBody } from './job-body';
import { shown, type JobView } from './job-view';

/** Enqueues a parsed body and answers with 202. Every route that makes a job uses it. */
@Injectable()
export class JobIntake {
  constructor(private readonly jobs: JobsService) {}

  async accept<D extends JobDefinition>(
    definition: D,
    body: JobBody<D>,
    caller: Caller,
    response: Response,
    children: readonly Child[] = [],
  ): Promise<JobView> {
    return answerAccepted(await this.enqueue(definition, body, caller, children), response);
  }

  enqueue<D extends JobDefinition>(
    definition: D,
    body: JobBody<D>,
    caller: Caller,
    children: readonly Child[] = [],
  ): Promise<AcceptedJob> {
    const { tenant, traceparent, route, idempotencyKey } = caller;
    const request = {
      tenant,
      traceparent,
      options: body.options,
      idempotency: idempotencyKey === undefined ? undefined : { route, key: idempotencyKey, body: body.raw },
    };
    const [first, ...others] = children;
    return first
      ? this.jobs.enqueueFlow(definition, body.payload, [first, ...others], request)
      : this.jobs.enqueue(definition, body.payload, request);
  }
}

/**
 * Answers 202 with the URL of the job and its view at the moment it was accepted. Every replay of an idempotency key
 * gets this same view.
 */
export function answerAccepted(job: AcceptedJob, response: Response): JobView {
  const view = shown({
    ...job,
    state: shownState({ ...job, attempt: 0 }, job.createdAt),
    place: job.state === 'waiting' ? 'ledger' : 'outbox',
    attempt: 0,
    progress: { percent: 0, note: null },
    result: null,
    resultBytes: null,
    error: null,
    startedAt: null,
    finishedAt: null,
  });
  response.status(202).location(view.links.self);
  if (job.replayed) response.set('Idempotency-Replayed', 'true');
  return view;
}
