import { Body, Controller, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { sendEmail } from '@app/features/email';
import { Roles, CallerOf, type Caller, jobBody, type JobBody, JobIntake, JobRoute } from '@app/http';
import type { JobView } from '@app/http';

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
