import { Body, Controller, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { sendSms } from '@app/features/sms';
import { Roles, CallerOf, type Caller, jobBody, type JobBody, JobIntake, JobRoute } from '@app/http';
import type { JobView } from '@app/http';

@ApiTags('jobs')
@Roles('user')
@Controller('v1/sms')
export class SmsController {
  constructor(private readonly intake: JobIntake) {}

  @JobRoute(sendSms, 'Send an SMS', { to: '+4915112345678', text: 'Your code is 1234' })
  send(
    @Body(jobBody(sendSms)) body: JobBody<typeof sendSms>,
    @CallerOf() caller: Caller,
    @Res({ passthrough: true }) response: Response,
  ): Promise<JobView> {
    return this.intake.accept(sendSms, body, caller, response);
  }
}
