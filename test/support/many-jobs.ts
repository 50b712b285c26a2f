import { jobDefinitions } from '@app/features/catalogue';
import type { Client, Pool } from 'pg';

/** Tenants of very different sizes: one of most jobs, one of few, and one that has next to none. */
export const manyTenants = ['large', 'small', 'tiny'] as const;

/** The kinds, the most frequent first. Each has a fifth of the jobs of the one before. */
export const manyKinds = ['email.send', 'sms.send', 'report.make', 'webhook.deliver'] as const;

const queueOf = (kind: string): string => jobDefinitions.find((one) => one.kind === kind)!.queue;

/**
 * Jobs as a system has them that has run for a month: 98 of 100 are completed, some thousand of a million have failed,
 * were cancelled or are scheduled, and some tens are queued, retrying, active or waiting, however many there are in all.
 * The ids rise with the time, and each thing is of every tenant and every kind.
 * @param from how many there are already
 * @param to how many there are to be
 */
export async function fillJobs(database: Client | Pool, from: number, to: number): Promise<void> {
  await database.query(
    `WITH drawn AS (
       SELECT n, $2::int - n AS age, hashint4(n)::bigint & 1023 AS tenant_draw, hashint4(n + 1)::bigint & 1023 AS kind_draw,
              hashint4(n + 2)::bigint & 1023 AS state_draw
         FROM generate_series($1::int + 1, $2::int) AS n
     ), job_like AS (
       SELECT n, now() - (1000000 - n) * interval '2.5 seconds' AS created_at,
              CASE WHEN tenant_draw < 960 THEN 'large' WHEN tenant_draw < 1018 THEN 'small' ELSE 'tiny' END AS tenant,
              $3::text[] AS kinds, $4::text[] AS queues,
              CASE WHEN kind_draw < 820 THEN 1 WHEN kind_draw < 984 THEN 2 WHEN kind_draw < 1016 THEN 3 ELSE 4 END AS kind,
              CASE WHEN age < 250 THEN (ARRAY['queued', 'retrying', 'active', 'waiting', 'scheduled'])[1 + age % 5]
                   WHEN state_draw < 5 THEN 'failed' WHEN state_draw < 8 THEN 'cancelled'
                   WHEN state_draw < 13 THEN 'scheduled' ELSE 'completed' END AS state
         FROM drawn
     )
     INSERT INTO job (id, tenant, kind, version, queue, broker, state, priority, dispatch, attempt, max_attempts, sequence,
                      run_at, created_at, started_at, finished_at, lease_until, progress, payload, result, error)
     SELECT uuid_v7(created_at), tenant, kinds[kind], 1, queues[kind], 'bullmq',
            (CASE WHEN state IN ('retrying', 'scheduled') THEN 'queued' ELSE state END)::job_state, 2, 1,
            CASE WHEN state IN ('queued', 'scheduled', 'waiting') THEN 0 ELSE 1 END, 5, 3,
            created_at + CASE WHEN state IN ('retrying', 'scheduled') THEN interval '40 days' ELSE interval '0' END,
            created_at,
            CASE WHEN state IN ('completed', 'failed', 'active') THEN created_at END,
            CASE WHEN state IN ('completed', 'failed', 'cancelled') THEN created_at + interval '1 second' END,
            CASE WHEN state = 'active' THEN now() + interval '1 day' END,
            CASE WHEN state = 'completed' THEN 100 ELSE 0 END,
            jsonb_build_object('to', 'user' || n || '@example.com', 'subject', 'Number ' || n, 'text', repeat('Hello ', 20)),
            CASE WHEN state = 'completed' THEN jsonb_build_object('messageId', '<' || n || '@example.com>') END,
            CASE WHEN state = 'failed' THEN '{"code": "attempts_exhausted", "message": "550 no such user"}'::jsonb END
       FROM job_like
      ORDER BY n`,
    [from, to, manyKinds, manyKinds.map(queueOf)],
  );
  await database.query('ANALYZE job');
}
