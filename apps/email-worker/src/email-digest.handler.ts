import { Pool } from 'pg';
import { emailDigest } from '@app/features/email';
import { systemTenant } from '@app/contracts';
import { done, fail, JobHandler, type Handler, type JobContext, type JobOf } from '@app/messaging';
import { countJobs } from '@app/ledger';
import { EmailRefused, Mailer } from './mailer';
import { Templates } from './templates';

@JobHandler(emailDigest)
export class EmailDigestHandler implements Handler<typeof emailDigest> {
  constructor(
    private readonly pool: Pool,
    private readonly mailer: Mailer,
    private readonly templates: Templates,
  ) {}

  async handle({ tenant, payload: { to, from, until } }: JobOf<typeof emailDigest>, { effectKey, signal }: JobContext) {
    // The system's own digest is for operators and counts all tenants. A digest that another service requests counts
    // the jobs of its tenant.
    const ofTenant = tenant === systemTenant ? undefined : tenant;
    const counts = await countJobs(this.pool, ofTenant, new Date(from), new Date(until));
    const jobs = counts.reduce((sum, { count }) => sum + count, 0);
    signal.throwIfAborted();
    try {
      const subject = `${jobs} jobs from ${from} to ${until}`;
      const body = this.templates.render('digest', { from, until, jobs, counts });
      const { messageId } = await this.mailer.send({ tenant, to, subject, ...body }, effectKey);
      return done({ messageId, jobs });
    } catch (error) {
      if (error instanceof EmailRefused) return fail(error.message);
      throw error;
    }
  }
}
