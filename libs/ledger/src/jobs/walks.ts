/** Queued for a time after the job was accepted: a delay, or another attempt. */
export const deferred = `state = 'queued' AND run_at > created_at`;

const indexes = {
  job_by_state: {
    columns: ['state', 'kind', `(${deferred})`, `(${deferred} AND attempt > 0)`, 'tenant', 'id'],
    predicate: '',
  },
  job_deferred: { columns: ['kind', 'tenant', '(attempt > 0)', 'run_at'], predicate: `${deferred} AND ` },
} as const;

/**
 * A comparison operator, and one SQL expression for each compared column. The columns are the first ones of the index, in
 * their order. The expressions become part of the statement's text, so they must not come from a caller.
 */
type Bound = readonly [operator: '>' | '>=' | '<' | '<=', ...values: string[]];

/**
 * The conditions and the order of a scan through a part of an index, for a SELECT from `job`. They compare whole rows
 * and order by all compared columns, so that exactly one index fits, whatever PostgreSQL estimates. With `state = …`
 * PostgreSQL may choose the primary key and read a million rows for a rare state.
 * @param bounds the lower and upper ends of the scan
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
 * A walk through a group of deferred rows: those that are due, or those that are due later.
 * @param group SQL expressions for kind, tenant and whether an attempt was made
 */
export const walkDeferred = (group: readonly string[], isDue: boolean): string =>
  isDue
    ? walk('job_deferred', 'ASC', ['>=', ...group], ['<=', ...group, 'now()'])
    : walk('job_deferred', 'ASC', ['>', ...group, 'now()'], ['<=', ...group]);

/**
 * A CTE of the kinds that exist in each state, of all tenants: one step through the index for each. For WITH RECURSIVE.
 * @param states an SQL array
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
 * A CTE of the groups of deferred rows: one step through the index for each. Within a group, the index has due rows
 * before later ones. For WITH RECURSIVE.
 */
export const deferredGroups = `deferred AS (
     (SELECT kind, tenant, attempt > 0 AS tried FROM job
       WHERE ${deferred} ORDER BY kind, tenant, (attempt > 0) LIMIT 1)
     UNION ALL
     SELECT next.* FROM deferred CROSS JOIN LATERAL (
       SELECT kind, tenant, attempt > 0 AS tried FROM job
        WHERE ${walk('job_deferred', 'ASC', ['>', 'deferred.kind', 'deferred.tenant', 'deferred.tried'])} LIMIT 1) next
   )`;
