import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Pool } from 'pg';
import { z } from 'zod';
import { finalStates, shownStates, storableText } from '@app/contracts';
import { cancelJob, listJobs, OutboxWakeUp, readJob, readJobTrace } from '@app/ledger';
import {
  Roles,
  isUuid,
  CallerOf,
  type Caller,
  parseQuery,
  Problem,
  quoted,
  toOpenApi,
  ProblemResponse,
  jobView,
  JobViews,
  type JobView,
} from '@app/http';

const listQuery = z.strictObject({
  state: z.enum(shownStates).optional(),
  kind: storableText.max(100).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.uuid().optional(),
});

const jobPage = z.object({ items: z.array(jobView), nextCursor: z.string().nullable() });

const moment = z.iso.datetime();

const jobTrace = z.object({
  traceId: z.string().nullable().describe('of the request that made the job; null if none did'),
  spans: z
    .array(
      z.object({
        state: z.enum(shownStates),
        attempt: z.int().describe('the number of attempts that had begun'),
        from: moment,
        until: moment.nullable().describe('null while the job is in this state'),
        error: z.object({ code: z.string(), message: z.string() }).nullable().describe('with which this state ended'),
      }),
    )
    .describe('the states before the final one, oldest first, at most the last 200'),
});

@ApiTags('jobs')
@Roles('user')
@Controller('v1/jobs')
export class JobsController {
  constructor(
    private readonly pool: Pool,
    private readonly wakeUp: OutboxWakeUp,
    private readonly views: JobViews,
  ) {}

  @Get()
  @ApiOperation({ summary: 'List jobs, newest first' })
  @ApiQuery({ name: 'state', required: false, enum: shownStates })
  @ApiQuery({ name: 'kind', required: false })
  @ApiQuery({ name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 } })
  @ApiQuery({ name: 'cursor', required: false, description: '`nextCursor` of the previous page' })
  @ApiResponse({ status: 200, description: 'A page of jobs.', schema: toOpenApi(jobPage) })
  @ProblemResponse(400, 'A query parameter is invalid.')
  async list(@Query() rawQuery: unknown, @CallerOf() caller: Caller): Promise<z.output<typeof jobPage>> {
    const { state, kind, limit, cursor } = parseQuery(listQuery, rawQuery);
    const { jobs, hasMore } = await listJobs(this.pool, caller.tenant, { state, kind, before: cursor, limit });
    const items = jobs.map((job) => this.views.viewOf(job));
    return { items, nextCursor: hasMore ? items.at(-1)!.id : null };
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a job' })
  @ApiResponse({ status: 200, description: 'The job.', schema: toOpenApi(jobView) })
  @ProblemResponse(404, 'There is no such job.')
  async read(@Param('id') id: string, @CallerOf() caller: Caller): Promise<JobView> {
    const job = isUuid(id) ? await readJob(this.pool, caller.tenant, id) : undefined;
    if (!job) throw jobNotFound(id);
    return this.views.viewOf(job);
  }

  @Get(':id/trace')
  @ApiOperation({ summary: 'Read through which states a job has gone, and when' })
  @ApiResponse({ status: 200, description: 'The states, with their times.', schema: toOpenApi(jobTrace) })
  @ProblemResponse(404, 'There is no such job.')
  async trace(@Param('id') id: string, @CallerOf() caller: Caller): Promise<z.output<typeof jobTrace>> {
    const trace = isUuid(id) ? await readJobTrace(this.pool, caller.tenant, id) : undefined;
    if (!trace) throw jobNotFound(id);
    const spans = trace.spans.map(({ from, until, ...span }) => ({
      ...span,
      from: from.toISOString(),
      until: until?.toISOString() ?? null,
    }));
    return { ...trace, spans };
  }

  @Post(':id/cancel')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Cancel a job',
    description:
      'A job that no worker runs is cancelled at once. A job that a worker runs is asked to stop. It becomes `cancelled` within seconds, or `completed` if it finishes first. Cancelling a parent also cancels its unfinished children.',
  })
  @ApiResponse({ status: 202, description: 'The job as it is now.', schema: toOpenApi(jobView) })
  @ProblemResponse(404, 'There is no such job.')
  @ProblemResponse(409, 'The job is in a final state.')
  async cancel(@Param('id') id: string, @CallerOf() caller: Caller): Promise<JobView> {
    const was = isUuid(id) ? await cancelJob(this.pool, caller.tenant, id) : undefined;
    if (!was) throw jobNotFound(id);
    if ((finalStates as readonly string[]).includes(was)) {
      throw new Problem(409, 'job_final', 'The job has ended', `It is ${was} already; nothing was changed.`);
    }
    this.wakeUp.request(); // The next job with the same order key may run now.
    return this.read(id, caller);
  }
}

export function jobNotFound(id: string): Problem {
  return new Problem(404, 'job_not_found', 'There is no such job', `No job of yours has the id ${quoted(id)}.`);
}
