import { Body, Controller, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { sendSms } from '@app/contracts';
import { Roles } from '../access';
import { CallerOf, type Caller } from '../http/caller';
import { jobBody, type JobBody } from './job-body';
import { JobIntake } from './job-intake';
import { JobRoute } from './job-route';
import type { JobView } from './job-view';

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
