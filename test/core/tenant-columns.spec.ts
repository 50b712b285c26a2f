import { startCore, type Core } from '../support/core';

/** Tables without a tenant column, each with the reason. */
const noTenants: Record<string, string> = {
  _prisma_migrations: 'the state of the schema',
  audit_entry: 'what operators did, over all tenants',
  begun_event: 'ids of events, as in processed_message',
  ended_session: 'fingerprints of sessions, each of one key',
  outbox: 'messages about jobs: they hold ids; the job has the tenant',
  processed_message: 'ids of jobs and of events; the id of a foreign event is made from its tenant, too',
  queue_reader: 'worker processes and their queues',
  queue_pause: 'a queue has the jobs of all tenants',
  redrive: 'requests of operators, over all tenants; `of_tenant` is a filter',
  schedule: 'timetables of the system',
  rate_limit: 'limits of queues, over all tenants',
};

/** Tables where a missing tenant means all tenants, or an unknown one. */
const mayBeUnknown: Record<string, string> = {
  dead_letter: 'a message that could not be read names no tenant; operators see these rows, tenants do not',
  product_generation: 'a replay fills one generation of all tenants',
};

describe('the schema', () => {
  let core: Core;

  beforeAll(async () => {
    core = await startCore([], { worker: false, relay: false });
  });

  afterAll(() => core.close());

  it('has a tenant column in every table, except in those that this file lists with a reason', async () => {
    const { rows } = await core.pool.query<{ name: string; tenant: string | null }>(
      `SELECT relname AS name,
              (SELECT CASE WHEN attnotnull THEN 'always' ELSE 'maybe' END
                 FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'tenant' AND attnum > 0) AS tenant
         FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = 'public' AND relkind = 'r'
        ORDER BY relname`,
    );
    const namesOf = (tenant: string | null) => rows.filter((row) => row.tenant === tenant).map(({ name }) => name);
    expect(namesOf(null)).toEqual(Object.keys(noTenants).sort());
    expect(namesOf('maybe')).toEqual(Object.keys(mayBeUnknown).sort());
    expect(namesOf('always')).toContain('job');
  });

  it('has an index for customer orders whose first column is the tenant', async () => {
    const { rows } = await core.pool.query<{ columns: string }>(
      `SELECT pg_get_indexdef('customer_order_by_time'::regclass) AS columns`,
    );
    expect(rows[0]!.columns).toContain('(tenant, placed_at, number)');
  });
});
