import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Pool } from 'pg';
import { z } from 'zod';
import { shownStates, storableText } from '@app/contracts';
import { listJobs, readJob } from '@app/persistence';
import { Roles } from '../access';
import { CallerOf, type Caller } from '../http/caller';
import { Problem, toFieldErrors } from '../http/problem';
import { toOpenApi } from './job-body';
import { ProblemResponse } from './job-route';
import { jobView, viewOf, type JobView } from './job-view';

const listQuery = z.strictObject({
  state: z.enum(shownStates).optional(),
  kind: storableText.max(100).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.uuid().optional(),
});

const jobPage = z.object({ items: z.array(jobView), nextCursor: z.string().nullable() });

@ApiTags('jobs')
@Roles('user')
@Controller('v1/jobs')
export class JobsController {
  constructor(private readonly pool: Pool) {}

  @Get()
  @ApiOperation({ summary: 'List jobs, newest first' })
  @ApiQuery({ name: 'state', required: false, enum: shownStates })
  @ApiQuery({ name: 'kind', required: false })
  @ApiQuery({ name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 } })
  @ApiQuery({ name: 'cursor', required: false, description: '`nextCursor` of the page before' })
  @ApiResponse({ status: 200, description: 'A page of jobs.', schema: toOpenApi(jobPage) })
  @ProblemResponse(400, 'A query parameter is not what was expected.')
  async list(@Query() rawQuery: unknown, @CallerOf() caller: Caller): Promise<z.output<typeof jobPage>> {
    const query = listQuery.safeParse(rawQuery);
    if (!query.success) {
      const errors = toFieldErrors(query.error.issues);
      const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
      throw new Problem(400, 'invalid_query', 'The query is not what this route takes', detail, errors);
    }
    const { state, kind, limit, cursor } = query.data;
    // One more than asked for tells whether there is a next page.
    const jobs = await listJobs(this.pool, caller.tenant, { state, kind, before: cursor, limit: limit + 1 });
    const items = jobs.slice(0, limit).map(viewOf);
    return { items, nextCursor: jobs.length > limit ? items.at(-1)!.id : null };
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a job' })
  @ApiResponse({ status: 200, description: 'The job.', schema: toOpenApi(jobView) })
  @ProblemResponse(404, 'There is no such job.')
  async read(@Param('id') id: string, @CallerOf() caller: Caller): Promise<JobView> {
    const job = z.uuid().safeParse(id).success ? await readJob(this.pool, caller.tenant, id) : undefined;
    if (!job) throw new Problem(404, 'job_not_found', 'There is no such job', `No job of yours has the id "${id}".`);
    return viewOf(job);
  }
}
