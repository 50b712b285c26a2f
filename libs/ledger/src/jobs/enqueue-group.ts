import { statement, type Database } from '../statement';
import { acceptedColumns, type AcceptedJob, type NewJob } from './enqueue';
import { issueDispatch, recordState } from './sql-parts';

/**
 * Writes what `enqueue` writes, for many jobs in one statement and one commit. Keys are inserted in their own order, so
 * that two groups with the same keys wait for each other and never deadlock. The ids of a group have one time and differ
 * in the second parameter of `uuid_v7`, so that lists show the group in the order of its requests.
 *
 * One JSON text rather than an array for each column: PostgreSQL keeps a generic plan, because the plan does not depend
 * on the length of an array, and planning this statement takes longer than running it for some jobs.
 */
const enqueueGroupStatement = statement<AcceptedJob & { place: number }>('enqueue_group').with(
  { jobs: 'jsonb' },
  ($) => `WITH named AS MATERIALIZED (
     SELECT uuid_v7(now(), place::int) AS id, wanted.*
       FROM ROWS FROM (jsonb_to_recordset(${$.jobs}) AS (
              tenant text, kind text, version smallint, queue text, broker text, priority smallint, attempts smallint,
              run_at timestamptz, delay bigint, payload jsonb, traceparent text, announced boolean, route text, key text,
              body_hash text)) WITH ORDINALITY
         AS wanted(tenant, kind, version, queue, broker, priority, attempts, run_at, delay, payload, traceparent,
                   announced, route, key, body_hash, place)
   ), keyed AS (
     INSERT INTO idempotency_key (tenant, route, key, body_hash, job_id)
     SELECT tenant, route, key, decode(body_hash, 'hex'), id FROM named WHERE key IS NOT NULL
      ORDER BY tenant, route, key, place
     ON CONFLICT DO NOTHING
     RETURNING job_id
   ), accepted AS (
     INSERT INTO job (id, tenant, kind, version, queue, broker, state, priority, max_attempts, run_at, payload, traceparent,
                      announced)
     SELECT id, tenant, kind, version, queue, broker, 'queued', priority, attempts,
            greatest(now(), run_at, now() + delay * interval '1 millisecond'), payload, traceparent, announced
       FROM named
      WHERE key IS NULL OR id IN (SELECT job_id FROM keyed)
     RETURNING *
   ), dispatched AS (
     ${issueDispatch('accepted')}
   ), recorded AS (
     ${recordState('accepted')}
   )
   SELECT (SELECT place::int FROM named WHERE named.id = accepted.id) AS place, ${acceptedColumns}, state::text,
          run_at AS "runAt", false AS replayed, NULL::bytea AS "bodyHash"
     FROM accepted`,
);

/** A job that a group can hold: it has no children, and no order key whose lock would make others wait. */
export const fitsGroup = ({ children, orderKey }: NewJob): boolean => children.length === 0 && orderKey === undefined;

/**
 * Accepts many jobs, each as `enqueue` does.
 * @param jobs at most 16,384, for each of which `fitsGroup` holds
 * @returns the new jobs by their place in `jobs`; none for an idempotency key that exists, or that is repeated in `jobs`
 * @throws the error of PostgreSQL; then all or none have been accepted, and which is unknown when the connection was lost
 */
export async function enqueueGroup(
  database: Database,
  jobs: readonly NewJob[],
): Promise<ReadonlyMap<number, AcceptedJob>> {
  const rows = await enqueueGroupStatement.run(database, { jobs: JSON.stringify(jobs.map(rowOf)) });
  return new Map(rows.map(({ place, ...job }) => [place - 1, job]));
}

const rowOf = ({ definition, idempotency, ...job }: NewJob) => ({
  tenant: job.tenant,
  kind: definition.kind,
  version: definition.version,
  queue: definition.queue,
  broker: job.broker,
  priority: job.priority,
  attempts: job.maxAttempts,
  run_at: job.runAt,
  delay: job.delayMs,
  payload: job.payload,
  traceparent: job.traceparent,
  announced: definition.announced,
  route: idempotency?.route,
  key: idempotency?.key,
  body_hash: idempotency?.bodyHash.toString('hex'),
});
