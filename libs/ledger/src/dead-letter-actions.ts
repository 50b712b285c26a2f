import { recordAction } from './audit';
import { statement } from './statement';

/**
 * Ends a dead letter without running its job again. The job stays failed.
 * @returns no row when the dead letter does not exist. A second discard changes nothing and is no obstacle.
 */
export const discardDeadLetter = statement<{ obstacle: 'redriven' | null }>('dead_letter_discard').with(
  { id: 'uuid', by: 'text', reason: 'text' },
  ($) => `WITH letter AS (
     SELECT id, redriven_at, discarded_at FROM dead_letter WHERE id = ${$.id} FOR UPDATE
   ), discarded AS (
     UPDATE dead_letter SET discarded_at = now(), discarded_by = ${$.by}, discard_reason = ${$.reason}
       FROM letter
      WHERE dead_letter.id = letter.id AND letter.redriven_at IS NULL AND letter.discarded_at IS NULL
     RETURNING dead_letter.id
   ), audited AS (
     ${recordAction('dead_letter.discard', $.by, 'id', `jsonb_build_object('reason', ${$.reason})`, 'FROM discarded')}
   )
   SELECT CASE WHEN redriven_at IS NOT NULL THEN 'redriven' END AS obstacle FROM letter`,
);

/** The job of a dead letter, as a new job with another payload needs it. */
export interface LockedDeadLetter {
  readonly redrivenAt: Date | null;
  readonly redrivenAs: string | null;
  readonly discardedAt: Date | null;
  readonly broker: string;
  /** null for a message that could not be read. Then the next four are null too. */
  readonly jobId: string | null;
  readonly tenant: string | null;
  readonly kind: string | null;
  readonly priority: number | null;
  readonly traceparent: string | null;
  /** Whether the job is the parent or a child of others. */
  readonly isInFlow: boolean;
}

/** Locks a dead letter until the end of the transaction. @returns no row when it does not exist */
export const lockDeadLetter = statement<LockedDeadLetter>('dead_letter_lock').with(
  { id: 'uuid' },
  ($) => `SELECT redriven_at AS "redrivenAt", redriven_as AS "redrivenAs", discarded_at AS "discardedAt",
          letter.broker, job.id AS "jobId", job.tenant, job.kind, job.priority, job.traceparent,
          job.parent_id IS NOT NULL OR EXISTS (SELECT FROM job child WHERE child.parent_id = job.id) AS "isInFlow"
     FROM dead_letter letter
     LEFT JOIN job ON job.id = letter.job_id
    WHERE letter.id = ${$.id}
      FOR UPDATE OF letter`,
);

/** Records that a dead letter was redriven as a new job. In the transaction that has locked it and added the job. */
export const redrivenAs = statement<never>('dead_letter_redriven_as').with(
  { id: 'uuid', jobId: 'uuid', by: 'text' },
  ($) => `WITH redriven AS (
     UPDATE dead_letter SET redriven_at = now(), redriven_by = ${$.by}, redriven_as = ${$.jobId} WHERE id = ${$.id}
     RETURNING id, job_id
   )
   ${recordAction('dead_letter.redrive_edited', $.by, 'id', "jsonb_build_object('jobId', job_id, 'newJobId', " + $.jobId + ')', 'FROM redriven')}`,
);
