import { Pool } from 'pg';
import { summariseSection } from '@app/features/report';
import { done, JobHandler, type Handler, type JobContext, type JobOf } from '@app/messaging';
import { summarise } from './pdf/summarise';

@JobHandler(summariseSection)
export class SummariseSectionHandler implements Handler<typeof summariseSection> {
  constructor(private readonly pool: Pool) {}

  async handle({ tenant, payload }: JobOf<typeof summariseSection>, { signal, progress }: JobContext) {
    return done(await summarise(this.pool, tenant, payload, signal, progress));
  }
}
