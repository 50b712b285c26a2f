import { sendSms } from '@app/features/sms';
import { done, fail, JobHandler, retry, type Handler, type JobContext, type JobOf } from '@app/messaging';
import { SmsPostponed, SmsProvider, SmsRefused } from './sms-provider';

@JobHandler(sendSms)
export class SendSmsHandler implements Handler<typeof sendSms> {
  constructor(private readonly provider: SmsProvider) {}

  async handle({ tenant, payload }: JobOf<typeof sendSms>, { effectKey, signal }: JobContext) {
    try {
      return done({ providerId: await this.provider.send({ tenant, ...payload }, effectKey, signal) });
    } catch (error) {
      if (error instanceof SmsRefused) return fail(error.message);
      if (error instanceof SmsPostponed) return retry(error.message, `${error.afterSeconds}s`);
      throw error;
    }
  }
}
