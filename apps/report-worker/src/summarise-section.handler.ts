import { Pool } from 'pg';
import { summariseSection } from '@app/contracts';
import { done, JobHandler, type Handler, type JobContext, type JobOf } from '@app/messaging';
import { summarise } from './pdf/summarise';

@JobHandler(summariseSection)
export class SummariseSectionHandler implements Handler<typeof summariseSection> {
  constructor(private readonly pool: Pool) {}

  async handle({ payload }: JobOf<typeof summariseSection>, { signal, progress }: JobContext) {
    return done(await summarise(this.pool, payload, signal, progress));
  }
}
