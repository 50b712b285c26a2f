import { Statement, type Database } from '../statement';
import type { Dispatch } from './claim';

export interface Progress extends Dispatch {
  readonly percent: number;
  readonly note: string | undefined;
}

const progressStatement = new Statement<Dispatch>(
  'progress',
  `WITH held AS (
     SELECT job.id, held.percent, held.note
       FROM job JOIN unnest($1::uuid[], $2::int[], $3::smallint[], $4::text[]) AS held(id, dispatch, percent, note)
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
  await progressStatement.run(
    database,
    progress.map(({ id }) => id),
    progress.map(({ dispatch }) => dispatch),
    progress.map(({ percent }) => percent),
    progress.map(({ note }) => note ?? null),
  );
}
