import { z } from 'zod';
import { jobPlaces, shownStates, type JobDefinition } from '@app/contracts';
import { shownResultBytes, type JobRecord } from '@app/ledger';

const moment = z.iso.datetime();

/** A job as callers see it: the body of the 202 and of every GET. */
export const jobView = z.object({
  id: z.uuid(),
  kind: z.string(),
  version: z.int(),
  state: z.enum(shownStates),
  broker: z.string(),
  place: z
    .enum(jobPlaces)
    .nullable()
    .describe(
      'where the job is, or was when it ended: `outbox` until a broker has confirmed its message, `broker` until a worker has claimed it, `worker` while it runs, `ledger` while it waits for its children or for the sweep of an expired lease; null when it was cancelled before a worker took it. The streams send no event for the step from `outbox` to `broker`',
    ),
  attempt: z.int().describe('the number of attempts so far; 0 before the first one'),
  maxAttempts: z.int(),
  progress: z.object({ percent: z.int().min(0).max(100), note: z.string().nullable() }),
  result: z
    .unknown()
    .describe(
      `in the form that the kind of job defines; null until the job is completed. In a list or a stream of jobs, it is also null if it is larger than ${shownResultBytes} bytes: GET /v1/jobs/{id} has it`,
    ),
  resultBytes: z.int().optional().describe('the size of the result as JSON, if it is too large to be shown here'),
  error: z.object({ code: z.string(), message: z.string() }).nullable().describe('of the last attempt, if it failed'),
  createdAt: moment,
  runAt: moment.describe('when the next attempt is due, or when the last one was due'),
  startedAt: moment.nullable().describe('of the last attempt'),
  finishedAt: moment.nullable(),
  links: z.object({ self: z.string() }),
});

export type JobView = z.output<typeof jobView>;

/** Makes links to files, for the kinds of jobs that make files. Links expire, so each view gets new ones. */
export abstract class ResultLinks {
  abstract urlOf(fileId: string): string;
}

/** Shows jobs to callers who may see them, with a link beside each file of a result. */
export class JobViews {
  private readonly definitions: ReadonlyMap<string, JobDefinition>;

  /** @param links undefined when no kind of job makes files */
  constructor(
    definitions: readonly JobDefinition[],
    private readonly links: ResultLinks | undefined,
  ) {
    this.definitions = new Map(definitions.map((definition) => [definition.kind, definition]));
  }

  viewOf(job: JobRecord): JobView {
    return shown({ ...job, result: this.resultOf(job) });
  }

  resultOf({ kind, result }: { readonly kind: string; readonly result: unknown }): unknown {
    const { withLinks } = this.definitions.get(kind) ?? {};
    if (!withLinks || !this.links || result === null) return result;
    const { links } = this;
    return withLinks(result as never, (fileId) => links.urlOf(fileId));
  }
}

export function shown(job: JobRecord): JobView {
  return {
    id: job.id,
    kind: job.kind,
    version: job.version,
    state: job.state,
    broker: job.broker,
    place: job.place,
    attempt: job.attempt,
    maxAttempts: job.maxAttempts,
    progress: job.progress,
    result: job.result,
    ...(job.resultBytes !== null && { resultBytes: job.resultBytes }),
    error: job.error,
    createdAt: job.createdAt.toISOString(),
    runAt: job.runAt.toISOString(),
    startedAt: job.startedAt?.toISOString() ?? null,
    finishedAt: job.finishedAt?.toISOString() ?? null,
    links: { self: `/v1/jobs/${job.id}` },
  };
}
