import { firstId, idOlderThan, neverMs, retentionPage, statement, type RetentionWalk } from '@app/ledger';

const deleteStatement = statement<{ deleted: number; last: string | null }>('retention_deliveries').with(
  { after: 'uuid', endedMs: 'bigint', failedMs: 'bigint' },
  ($) => `WITH page AS (
     SELECT job_id FROM webhook_delivery
      WHERE job_id > ${$.after}
        AND job_id < ${idOlderThan($.endedMs, $.failedMs)}
      ORDER BY job_id
      LIMIT ${retentionPage}
   ), deleted AS (
     DELETE FROM webhook_delivery
      WHERE job_id = ANY (ARRAY(SELECT job_id FROM page))
        AND job_id <> ALL (ARRAY(SELECT id FROM job WHERE id = ANY (ARRAY(SELECT job_id FROM page))))
     RETURNING 1
   )
   SELECT (SELECT count(*) FROM deleted)::int AS deleted, (SELECT job_id FROM page ORDER BY job_id DESC LIMIT 1) AS last`,
);

/** Deletes the deliveries, with the log of their attempts, of jobs that the ledger has deleted. */
export const deliveryRetention: RetentionWalk = async function* (database, { endedMs = neverMs, failedMs = neverMs }) {
  for (let after: string | null = firstId; after !== null;) {
    const [page]: { deleted: number; last: string | null }[] = await deleteStatement.run(database, {
      after,
      endedMs,
      failedMs,
    });
    yield page!.deleted;
    after = page!.last;
  }
};
