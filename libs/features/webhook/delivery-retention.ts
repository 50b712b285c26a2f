import {
  isWithoutJob,
  pageAfter,
  pageById,
  pageParameters,
  statement,
  walkById,
  type RetentionWalk,
  type WalkedPage,
} from '@app/ledger';

const deleteStatement = statement<WalkedPage>('retention_deliveries').with(
  pageParameters,
  ($) => `WITH page AS (
     ${pageById('webhook_delivery', 'job_id', 'job_id', $)}
   ), deleted AS (
     DELETE FROM webhook_delivery
      WHERE job_id = ANY (ARRAY(SELECT job_id FROM page))
        AND ${isWithoutJob('job_id')}
     RETURNING 1
   )
   SELECT (SELECT count(*) FROM deleted)::int AS deleted, (SELECT job_id FROM page ORDER BY job_id DESC LIMIT 1) AS last`,
);

/** Deletes the deliveries, with the log of their attempts, of jobs that the ledger has deleted. */
export const deliveryRetention: RetentionWalk = (database, ages) =>
  walkById(async (after) => (await deleteStatement.run(database, pageAfter(after, ages)))[0]!);
