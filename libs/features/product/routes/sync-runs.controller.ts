import { Body, Controller, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { syncRun } from '@app/features/product';
import { Roles, CallerOf, type Caller, jobBody, type JobBody, JobIntake, JobRoute } from '@app/http';
import type { JobView } from '@app/http';

@ApiTags('jobs')
@Roles('user')
@Controller('v1/sync-runs')
export class SyncRunsController {
  constructor(private readonly intake: JobIntake) {}

  @JobRoute(syncRun, 'Rebuild the search model', { source: 'products' })
  run(
    @Body(jobBody(syncRun)) body: JobBody<typeof syncRun>,
    @CallerOf() caller: Caller,
    @Res({ passthrough: true }) response: Response,
  ): Promise<JobView> {
    return this.intake.accept(syncRun, body, caller, response);
  }
}
