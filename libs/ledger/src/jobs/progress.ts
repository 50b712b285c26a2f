import { columnsOf, statement, type Database } from '../statement';
import type { Dispatch } from './claim';

export interface Progress extends Dispatch {
  readonly percent: number;
  readonly note: string | undefined;
}

const progressStatement = statement<Dispatch>('progress').with(
  { id: 'uuid[]', dispatch: 'int[]', percent: 'smallint[]', note: 'text?[]' },
  ($) => `WITH held AS (
     SELECT job.id, held.percent, held.note
       FROM job JOIN unnest(${$.id}, ${$.dispatch}, ${$.percent}, ${$.note}) AS held(id, dispatch, percent, note)
            ON held.id = job.id
      WHERE job.dispatch = held.dispatch AND job.state = 'active'
      ORDER BY job.id
        FOR UPDATE OF job
   ), moved AS (
     UPDATE job SET progress = held.percent, progress_note = held.note, sequence = sequence + 1
       FROM held
      WHERE job.id = held.id
     RETURNING tenant, job.id, dispatch, sequence, progress, progress_note
   ), recorded AS (
     INSERT INTO job_update (tenant, job_id, sequence, type, data)
     SELECT tenant, id, sequence, 'progress', jsonb_build_object('percent', progress, 'note', progress_note) FROM moved
   )
   SELECT id, dispatch FROM moved`,
);

/** Stores the progress of active jobs and records it as job updates. A fenced dispatch writes nothing. */
export async function recordProgress(database: Database, progress: readonly Progress[]): Promise<void> {
  await progressStatement.run(database, columnsOf(progress, 'id', 'dispatch', 'percent', 'note'));
}
