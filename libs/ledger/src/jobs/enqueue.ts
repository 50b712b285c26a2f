import type { JobDefinition, JobState } from '@app/contracts';
import { statement, type Database, type Placeholders } from '../statement';
import { issueDispatch, recordState } from './sql-parts';

/** One job of a request, parsed and routed to its broker. */
export interface NewWork {
  readonly definition: Pick<JobDefinition, 'kind' | 'version' | 'queue' | 'announced'>;
  readonly broker: string;
  readonly maxAttempts: number;
  readonly payload: unknown;
}

/** A request for one job, or for a parent that waits for its children. */
export interface NewJob extends NewWork {
  readonly tenant: string;
  readonly priority: number;
  readonly delayMs: number | undefined;
  readonly runAt: string | undefined;
  readonly traceparent: string | undefined;
  readonly orderKey: string | undefined;
  readonly idempotency: { readonly route: string; readonly key: string; readonly bodyHash: Buffer } | undefined;
  readonly children: readonly NewWork[];
}

/** The job as it was accepted. A replay gets the job as the first request got it, whatever its state is now. */
export interface AcceptedJob {
  readonly id: string;
  readonly kind: string;
  readonly version: number;
  readonly state: Extract<JobState, 'queued' | 'waiting'>;
  readonly broker: string;
  readonly maxAttempts: number;
  readonly createdAt: Date;
  readonly runAt: Date;
  readonly replayed: boolean;
  /** The body hash of the first request, when this request is a replay. */
  readonly bodyHash: Buffer | null;
}

export const acceptedColumns = `id, kind, version, broker, max_attempts AS "maxAttempts", created_at AS "createdAt"`;

const keyParameters = { tenant: 'text', route: 'text?', idempotencyKey: 'text?' } as const;

/** The job as the first request with the same idempotency key got it. */
const firstOfKey = ($: Placeholders<typeof keyParameters>) => `
  SELECT ${acceptedColumns}, first.data->>'state' AS state, (first.data->>'runAt')::timestamptz AS "runAt",
         true AS replayed, body_hash AS "bodyHash"
    FROM idempotency_key
    JOIN job ON job.id = idempotency_key.job_id
    JOIN job_update first ON first.job_id = job.id AND first.sequence = 1
   WHERE idempotency_key.tenant = ${$.tenant} AND route = ${$.route} AND key = ${$.idempotencyKey}`;

/** The highest number that `uuid_v7` takes as its second parameter: a parent's id is larger than its children's. */
const lastPlace = 16_383;

const parameters = {
  tenant: 'text',
  kind: 'text',
  version: 'smallint',
  queue: 'text',
  broker: 'text',
  priority: 'smallint',
  maxAttempts: 'smallint',
  delayMs: 'bigint?',
  runAt: 'timestamptz?',
  payload: 'jsonb',
  traceparent: 'text?',
  route: 'text?',
  idempotencyKey: 'text?',
  bodyHash: 'bytea?',
  announced: 'boolean',
} as const;

const orderedParameters = { ...parameters, orderKey: 'text?' } as const;

const flowParameters = {
  ...parameters,
  childKinds: 'text[]',
  childVersions: 'smallint[]',
  childQueues: 'text[]',
  childBrokers: 'text[]',
  childMaxAttempts: 'smallint[]',
  childPayloads: 'text[]',
  childAnnounced: 'boolean[]',
  orderKey: 'text?',
} as const;

/**
 * Writes ledger, outbox, first event and idempotency key in one statement and one commit. The database's clock makes
 * the id, like all times: lists are in the order of ids. The ids of a family have one time and differ in the second
 * parameter of `uuid_v7`: children in their given order, the parent last, because locks are taken in the order of ids.
 *
 * A concurrent request with the same idempotency key blocks on the unique index until the first one commits. It then
 * inserts nothing. Its own snapshot is older and does not show the row of the first request: the statement returns no
 * row, and `findFirstStatement` reads it again.
 *
 * Three texts rather than one with optional parts: PostgreSQL keeps a generic plan only when leaving the unused parts
 * out would not make a better plan, and planning this statement takes longer than running it.
 */
function enqueueText(
  $: Placeholders<typeof parameters> | Placeholders<typeof orderedParameters> | Placeholders<typeof flowParameters>,
): string {
  const children = 'childKinds' in $ ? { count: `cardinality(${$.childKinds})`, insert: insertChildren($) } : undefined;
  const orderKey = 'orderKey' in $ ? $.orderKey : undefined;
  return `WITH named AS MATERIALIZED (
     SELECT uuid_v7(now()${children ? `, ${lastPlace}` : ''}) AS id
   ), keyed AS (
     INSERT INTO idempotency_key (tenant, route, key, body_hash, job_id)
     SELECT ${$.tenant}, ${$.route}, ${$.idempotencyKey}, ${$.bodyHash}, id FROM named WHERE ${$.idempotencyKey} IS NOT NULL
     ON CONFLICT DO NOTHING
     RETURNING job_id
   ), ${orderKey ? position(orderKey) : ''}accepted AS (
     INSERT INTO job (id, tenant, kind, version, queue, broker, state, priority, max_attempts, run_at, payload, traceparent,
                      announced, open_children${orderKey ? ', order_key, order_position' : ''})
     SELECT id, ${$.tenant}, ${$.kind}, ${$.version}, ${$.queue}, ${$.broker}, '${children ? 'waiting' : 'queued'}', ${$.priority},
            ${$.maxAttempts}, greatest(now(), ${$.runAt}, now() + ${$.delayMs} * interval '1 millisecond'), ${$.payload},
            ${$.traceparent}, ${$.announced}, ${children?.count ?? '0'}${orderKey ? `, ${orderKey}, (SELECT position FROM ordered)` : ''}
       FROM named
      WHERE ${$.idempotencyKey} IS NULL OR EXISTS (SELECT FROM keyed)
     RETURNING *
   ), ${children?.insert ?? ''}dispatched AS (
     ${issueDispatch(children ? 'children' : 'accepted')}
   ), recorded AS (
     ${recordState(children ? '(SELECT * FROM accepted UNION ALL SELECT * FROM children) family' : 'accepted')}
   )
   SELECT ${acceptedColumns}, state::text, run_at AS "runAt", false AS replayed, NULL::bytea AS "bodyHash" FROM accepted
   UNION ALL (${firstOfKey($)} AND NOT EXISTS (SELECT FROM keyed))`;
}

/**
 * The lock on an order key is held until the commit, so that positions rise in the order of the commits: a transaction
 * that sees a job sees all jobs before it.
 */
const position = (orderKey: string) => `locked AS MATERIALIZED (
     SELECT pg_advisory_xact_lock(hashtextextended(${orderKey}, 0)) WHERE ${orderKey} IS NOT NULL
   ), ordered AS MATERIALIZED (
     SELECT nextval('job_order') AS position FROM locked
   ), `;

const insertChildren = ($: Placeholders<typeof flowParameters>) => `children AS (
     INSERT INTO job (id, tenant, kind, version, queue, broker, state, priority, max_attempts, run_at, payload, traceparent, announced, parent_id)
     SELECT uuid_v7(accepted.created_at, child.place::int), accepted.tenant, child.kind, child.version, child.queue, child.broker, 'queued', accepted.priority,
            child.max_attempts, accepted.run_at, child.payload::jsonb, accepted.traceparent, child.announced, accepted.id
       FROM accepted
      CROSS JOIN unnest(${$.childKinds}, ${$.childVersions}, ${$.childQueues}, ${$.childBrokers}, ${$.childMaxAttempts},
                        ${$.childPayloads}, ${$.childAnnounced})
                 WITH ORDINALITY AS child(kind, version, queue, broker, max_attempts, payload, announced, place)
     RETURNING *
   ), `;

const enqueueStatement = statement<AcceptedJob>('enqueue').with(parameters, enqueueText);
const enqueueOrderedStatement = statement<AcceptedJob>('enqueue_ordered').with(orderedParameters, enqueueText);
const enqueueFlowStatement = statement<AcceptedJob>('enqueue_flow').with(flowParameters, enqueueText);

const findFirstStatement = statement<AcceptedJob>('enqueue_find_first').with(keyParameters, firstOfKey);

/**
 * Accepts a job, or a parent with its children.
 * @returns the new job; for a repeated idempotency key the job of the first request, with `replayed` set
 * @throws the error of PostgreSQL; then the job may or may not have been accepted
 */
export async function enqueue(database: Database, job: NewJob): Promise<AcceptedJob> {
  const { children, orderKey, idempotency } = job;
  const { kind, version, queue, announced } = job.definition;
  const values = {
    ...job,
    kind,
    version,
    queue,
    announced,
    payload: JSON.stringify(job.payload),
    route: idempotency?.route,
    idempotencyKey: idempotency?.key,
    bodyHash: idempotency?.bodyHash,
  };
  const one = orderKey === undefined ? enqueueStatement : enqueueOrderedStatement;
  let rows =
    children.length > 0
      ? await enqueueFlowStatement.run(database, { ...values, ...valuesOf(children) })
      : await one.run(database, values);
  if (rows.length === 0 && idempotency) rows = await findFirstStatement.run(database, values);
  if (!rows[0]) throw new Error(`The ${kind} was neither inserted nor found by its idempotency key.`);
  return rows[0];
}

function valuesOf(children: readonly NewWork[]) {
  return {
    childKinds: children.map(({ definition }) => definition.kind),
    childVersions: children.map(({ definition }) => definition.version),
    childQueues: children.map(({ definition }) => definition.queue),
    childBrokers: children.map(({ broker }) => broker),
    childMaxAttempts: children.map(({ maxAttempts }) => maxAttempts),
    childPayloads: children.map(({ payload }) => JSON.stringify(payload)),
    childAnnounced: children.map(({ definition }) => definition.announced),
  };
}
