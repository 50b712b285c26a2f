import { Body, Controller, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { sendEmail } from '@app/contracts';
import { Roles } from '../access';
import { CallerOf, type Caller } from '../http/caller';
import { jobBody, type JobBody } from './job-body';
import { JobIntake } from './job-intake';
import { JobRoute } from './job-route';
import type { JobView } from './job-view';

@ApiTags('jobs')
@Roles('user')
@Controller('v1/emails')
export class EmailsController {
  constructor(private readonly intake: JobIntake) {}

  @JobRoute(sendEmail, 'Send an email', { to: 'ada@example.com', subject: 'Hello', text: 'Hello Ada' })
  send(
    @Body(jobBody(sendEmail)) body: JobBody<typeof sendEmail>,
    @CallerOf() caller: Caller,
    @Res({ passthrough: true }) response: Response,
  ): Promise<JobView> {
    return this.intake.accept(sendEmail, body, caller, response);
  }
}
