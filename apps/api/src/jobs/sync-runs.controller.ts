import { Body, Controller, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { syncRun } from '@app/contracts';
import { Roles } from '../access';
import { CallerOf, type Caller } from '../http/caller';
import { jobBody, type JobBody } from './job-body';
import { JobIntake } from './job-intake';
import { JobRoute } from './job-route';
import type { JobView } from './job-view';

@ApiTags('jobs')
@Roles('user')
@Controller('v1/sync-runs')
export class SyncRunsController {
  constructor(private readonly intake: JobIntake) {}

  @JobRoute(syncRun, 'Build the search model anew', { source: 'products' })
  run(
    @Body(jobBody(syncRun)) body: JobBody<typeof syncRun>,
    @CallerOf() caller: Caller,
    @Res({ passthrough: true }) response: Response,
  ): Promise<JobView> {
    return this.intake.accept(syncRun, body, caller, response);
  }
}
