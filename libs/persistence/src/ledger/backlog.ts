/**
 * Which groups of queued rows there are: one step through the index `job_queued` for each. Within a group, the index
 * has what is due before what is not. To be used in WITH RECURSIVE.
 */
export const backlog = `backlog AS (
     (SELECT queue, kind, tenant, attempt > 0 AS tried FROM job WHERE state = 'queued'
       ORDER BY queue, kind, tenant, attempt > 0 LIMIT 1)
     UNION ALL
     SELECT next.* FROM backlog CROSS JOIN LATERAL (
       SELECT queue, kind, tenant, attempt > 0 AS tried FROM job
        WHERE state = 'queued'
          AND (queue, kind, tenant, attempt > 0) > (backlog.queue, backlog.kind, backlog.tenant, backlog.tried)
        ORDER BY queue, kind, tenant, attempt > 0 LIMIT 1) next
   )`;
