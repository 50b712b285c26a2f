import type { JobDefinition, JobState } from '@app/contracts';
import { issueDispatch } from '../outbox/issue-dispatch';
import { Statement, type Database } from '../statement';

/** One request for a job, parsed and routed. */
export interface NewJob {
  /** UUIDv7, made by the caller. */
  readonly id: string;
  readonly tenant: string;
  readonly definition: Pick<JobDefinition, 'kind' | 'version' | 'queue'>;
  readonly broker: string;
  readonly priority: number;
  readonly maxAttempts: number;
  readonly delayMs: number | undefined;
  readonly runAt: string | undefined;
  readonly payload: unknown;
  readonly traceparent: string | undefined;
  readonly idempotency: { readonly route: string; readonly key: string; readonly bodyHash: Buffer } | undefined;
}

/** The job as it was accepted; for a replay, as the first request's was, whatever has become of it since. */
export interface AcceptedJob {
  readonly id: string;
  readonly kind: string;
  readonly version: number;
  readonly broker: string;
  readonly maxAttempts: number;
  readonly createdAt: Date;
  readonly runAt: Date;
  readonly replayed: boolean;
  /** Of the first request, when this one is a replay. */
  readonly bodyHash: Buffer | null;
}

/** The state in which the statement below leaves a new job. */
export const initialState = 'queued' satisfies JobState;

const acceptedColumns = `id, kind, version, broker, max_attempts AS "maxAttempts", created_at AS "createdAt"`;

const firstOfKey = `
  SELECT ${acceptedColumns}, (first.data->>'runAt')::timestamptz AS "runAt", true AS replayed, body_hash AS "bodyHash"
    FROM idempotency_key
    JOIN job ON job.id = idempotency_key.job_id
    JOIN job_event first ON first.job_id = job.id AND first.sequence = 1`;

/**
 * Ledger, outbox, first event and key in one statement and one commit.
 * A twin of a key waits at the key's unique index until the winner has committed. It then inserts nothing, and
 * its own snapshot, taken before, does not show the winner's row: no row comes back, and `findFirst` asks again.
 */
const enqueueStatement = new Statement<AcceptedJob>(
  'enqueue',
  `WITH keyed AS (
     INSERT INTO idempotency_key (tenant, route, key, body_hash, job_id)
     SELECT $2, $13, $14, $15::bytea, $1::uuid WHERE $14::text IS NOT NULL
     ON CONFLICT DO NOTHING
     RETURNING job_id
   ), accepted AS (
     INSERT INTO job (id, tenant, kind, version, queue, broker, state, priority, max_attempts, run_at, payload, traceparent)
     SELECT $1, $2, $3, $4, $5, $6, 'queued', $7, $8,
            greatest(now(), $10::timestamptz, now() + $9::bigint * interval '1 millisecond'), $11::jsonb, $12
      WHERE $14::text IS NULL OR EXISTS (SELECT FROM keyed)
     RETURNING *
   ), dispatched AS (
     ${issueDispatch('accepted')}
   ), recorded AS (
     INSERT INTO job_event (job_id, sequence, type, data)
     SELECT id, sequence, 'state', jsonb_build_object('state', state, 'attempt', attempt, 'runAt', run_at) FROM accepted
   )
   SELECT ${acceptedColumns}, run_at AS "runAt", false AS replayed, NULL::bytea AS "bodyHash" FROM accepted
   UNION ALL (${firstOfKey}
    WHERE idempotency_key.tenant = $2 AND route = $13 AND key = $14 AND NOT EXISTS (SELECT FROM keyed))`,
);

const findFirstStatement = new Statement<AcceptedJob>(
  'enqueue_find_first',
  `${firstOfKey} WHERE idempotency_key.tenant = $1 AND route = $2 AND key = $3`,
);

export async function enqueue(database: Database, job: NewJob): Promise<AcceptedJob> {
  const { idempotency } = job;
  const rows = await enqueueStatement.run(
    database,
    job.id,
    job.tenant,
    job.definition.kind,
    job.definition.version,
    job.definition.queue,
    job.broker,
    job.priority,
    job.maxAttempts,
    job.delayMs ?? null,
    job.runAt ?? null,
    JSON.stringify(job.payload),
    job.traceparent ?? null,
    idempotency?.route ?? null,
    idempotency?.key ?? null,
    idempotency?.bodyHash ?? null,
  );
  const accepted =
    rows[0] ??
    (idempotency && (await findFirstStatement.run(database, job.tenant, idempotency.route, idempotency.key))[0]);
  if (!accepted) throw new Error(`Job ${job.id} was neither inserted nor found by its idempotency key.`);
  return accepted;
}
