import { sendEmail } from '@app/features/email';
import { done, fail, JobHandler, type Handler, type JobContext, type JobOf } from '@app/messaging';
import { EmailRefused, Mailer } from './mailer';
import { Templates } from './templates';

@JobHandler(sendEmail)
export class SendEmailHandler implements Handler<typeof sendEmail> {
  constructor(
    private readonly mailer: Mailer,
    private readonly templates: Templates,
  ) {}

  async handle({ tenant, payload }: JobOf<typeof sendEmail>, { effectKey, signal }: JobContext) {
    const { to, subject, template, data, text, html } = payload;
    const body = template === undefined ? { text, html } : this.templates.render(template, data ?? {});
    signal.throwIfAborted();
    try {
      return done(await this.mailer.send({ tenant, to, subject, ...body }, effectKey));
    } catch (error) {
      if (error instanceof EmailRefused) return fail(error.message);
      throw error;
    }
  }
}
