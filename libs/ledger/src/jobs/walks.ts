/** Queued for a later time than the job was accepted at: a delay, or another attempt. */
export const deferred = `state = 'queued' AND run_at > created_at`;

const indexes = {
  job_by_state: {
    columns: ['state', 'kind', `(${deferred})`, `(${deferred} AND attempt > 0)`, 'tenant', 'id'],
    predicate: '',
  },
  job_deferred: { columns: ['kind', 'tenant', '(attempt > 0)', 'run_at'], predicate: `${deferred} AND ` },
} as const;

/** A comparison, and what the first columns of the index are compared with. */
type Bound = readonly [operator: '>' | '>=' | '<' | '<=', ...values: string[]];

/**
 * The conditions and the order of a walk through a part of an index, for a SELECT from `job`. They compare rows and order
 * by all columns that they compare, because then one index fits, whatever PostgreSQL expects of the values. With
 * `state = …` it may take the primary key, and look through a million rows for a state that few have.
 */
export function walk(index: keyof typeof indexes, direction: 'ASC' | 'DESC', ...bounds: readonly Bound[]): string {
  const { columns, predicate } = indexes[index];
  const conditions = bounds.map(
    ([operator, ...values]) => `(${columns.slice(0, values.length).join(', ')}) ${operator} (${values.join(', ')})`,
  );
  const compared = Math.max(...bounds.map(([, ...values]) => values.length));
  const order = columns.slice(0, compared).map((column) => `${column} ${direction}`);
  return `${predicate}${conditions.join(' AND ')} ORDER BY ${order.join(', ')}`;
}

/**
 * Which kinds there are of each state: one step through the index for each, of all tenants. To be used in WITH RECURSIVE.
 * @param states an array in SQL
 */
export const kindsOf = (states: string): string => `kinds AS (
     SELECT state, (SELECT kind FROM job
                     WHERE ${walk('job_by_state', 'ASC', ['>=', 'wanted.state', `''`], ['<=', 'wanted.state'])} LIMIT 1) AS kind
       FROM unnest(${states}) AS wanted(state)
     UNION ALL
     SELECT state, (SELECT kind FROM job
                     WHERE ${walk('job_by_state', 'ASC', ['>', 'kinds.state', 'kinds.kind'], ['<=', 'kinds.state'])} LIMIT 1)
       FROM kinds WHERE kind IS NOT NULL
   )`;

/**
 * Which groups of deferred rows there are: one step through the index for each. Within a group, the index has what is
 * due before what is not. To be used in WITH RECURSIVE.
 */
export const deferredGroups = `deferred AS (
     (SELECT kind, tenant, attempt > 0 AS tried FROM job
       WHERE ${deferred} ORDER BY kind, tenant, (attempt > 0) LIMIT 1)
     UNION ALL
     SELECT next.* FROM deferred CROSS JOIN LATERAL (
       SELECT kind, tenant, attempt > 0 AS tried FROM job
        WHERE ${walk('job_deferred', 'ASC', ['>', 'deferred.kind', 'deferred.tenant', 'deferred.tried'])} LIMIT 1) next
   )`;
