import { escapeIdentifier, type Pool } from 'pg';
import { cancelOpenJobs } from './jobs/cancel';
import { deletionOf, retentionPage, walkById, walkWhileFull, type WalkedPage } from './retention';
import { statement, type Database } from './statement';

/**
 * Every table whose rows belong to tenants, of the ledger and of all parts: the column `tenant` says so.
 * `test/core/tenant-columns.spec.ts` holds each table to it.
 */
const tablesStatement = statement<{ table: string; omitted: string[] }>(undefined).text(
  `SELECT relname AS "table",
          ARRAY(SELECT attname::text FROM pg_attribute
                 WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
                   AND atttypid IN ('bytea'::regtype, 'tsvector'::regtype, 'xid8'::regtype)) AS omitted
     FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
      AND EXISTS (SELECT FROM pg_attribute
                   WHERE attrelid = pg_class.oid AND attname = 'tenant' AND NOT attisdropped)
    ORDER BY relname`,
);

/** Some rows of one table, each as JSON text on one line. */
export interface TenantRows {
  readonly table: string;
  readonly rows: readonly string[];
}

/**
 * Reads every row of a tenant as it was at one moment. Columns of bytes (sealed secrets, hashes, raw messages) and what
 * PostgreSQL computes are left out. The transaction stays open until the last row is read: until then VACUUM removes
 * nothing that is deleted meanwhile.
 * @throws the database's error
 */
export async function* readTenantRows(pool: Pool, tenant: string): AsyncGenerator<TenantRows> {
  const client = await pool.connect();
  let isDone = false;
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    for (const { table, omitted } of await tablesStatement.run(client)) {
      await client.query(
        `DECLARE tenant_rows CURSOR FOR
           SELECT (to_jsonb(t) - $2::text[])::text AS line FROM ${escapeIdentifier(table)} t WHERE tenant = $1`,
        [tenant, omitted],
      );
      for (let rows: string[] = ['']; rows.length > 0;) {
        const page = await client.query<{ line: string }>(`FETCH ${retentionPage} FROM tenant_rows`);
        rows = page.rows.map(({ line }) => line);
        if (rows.length > 0) yield { table, rows };
      }
      await client.query('CLOSE tenant_rows');
    }
    await client.query('COMMIT');
    isDone = true;
  } finally {
    // Also when the caller stops reading: the connection is closed with its transaction.
    client.release(!isDone);
  }
}

const runningStatement = statement<{ running: number }>(undefined).with(
  { tenant: 'text' },
  ($) => `SELECT count(*)::int AS running FROM job
    WHERE tenant = ${$.tenant} AND state = 'active' AND lease_until > now()`,
);

const openStatement = statement<{ id: string }>(undefined).with(
  { tenant: 'text' },
  ($) => `SELECT id FROM job
    WHERE tenant = ${$.tenant} AND (state IN ('waiting', 'queued') OR state = 'active' AND NOT cancel_requested)
    LIMIT 500`,
);

/**
 * Cancels what is open, and asks what runs to stop.
 * @returns how many jobs a worker still runs: those whose lease has not expired
 */
export async function cancelTenantJobs(database: Database, tenant: string): Promise<number> {
  for (;;) {
    const ids = (await openStatement.run(database, { tenant })).map(({ id }) => id);
    if (ids.length === 0) break;
    await cancelOpenJobs(database, ids, tenant);
  }
  return (await runningStatement.run(database, { tenant }))[0]!.running;
}

/** Every job, finished or not, with what other tables hold of it without a tenant. */
const deleteJobs = statement<WalkedPage>(undefined).with(
  { tenant: 'text', after: 'uuid' },
  ($) => `WITH old AS (
     SELECT id, kind FROM job
      WHERE tenant = ${$.tenant} AND id > ${$.after} ORDER BY id LIMIT ${retentionPage} FOR UPDATE
   ), messages AS (
     DELETE FROM outbox WHERE job_id = ANY (ARRAY(SELECT id FROM old))
   ), ${deletionOf('old')}
   SELECT (SELECT count(*) FROM deleted)::int AS deleted, (SELECT id FROM old ORDER BY id DESC LIMIT 1) AS last`,
);

/**
 * Deletes every row of a tenant, page by page, its jobs first. Call it when none of its jobs runs.
 * @returns after each page the table and the number of rows
 * @throws the database's error; then call it again
 */
export async function* deleteTenantRows(
  pool: Pool,
  tenant: string,
): AsyncGenerator<{ readonly table: string; readonly deleted: number }> {
  for await (const deleted of walkById(async (after) => (await deleteJobs.run(pool, { tenant, after }))[0]!)) {
    yield { table: 'job', deleted };
  }
  for (const { table } of await tablesStatement.run(pool)) {
    const name = escapeIdentifier(table);
    const page = `SELECT ctid FROM ${name} WHERE tenant = $1 LIMIT ${retentionPage}`;
    const deletePage = async () =>
      (await pool.query(`DELETE FROM ${name} WHERE ctid = ANY (ARRAY(${page}))`, [tenant])).rowCount ?? 0;
    for await (const deleted of walkWhileFull(deletePage)) yield { table, deleted };
  }
}

/**
 * The keys of a tenant's files in the file store, in their order.
 * @param after the last key of the page before; empty for the first page
 */
export type TenantFiles = (database: Database, tenant: string, after: string) => Promise<string[]>;

/** @param table has a column `tenant` and a column `key` */
export function tenantFilesIn(table: string): TenantFiles {
  const keys = statement<{ key: string }>(undefined).with(
    { tenant: 'text', after: 'text' },
    ($) =>
      `SELECT key FROM ${table} WHERE tenant = ${$.tenant} AND key > ${$.after} ORDER BY key LIMIT ${retentionPage}`,
  );
  return async (database, tenant, after) => (await keys.run(database, { tenant, after })).map(({ key }) => key);
}

/** Records in the audit that a tenant's data was read or deleted as a whole. */
export const auditTenant = statement<never>(undefined).with(
  { action: 'text', tenant: 'text', detail: 'jsonb' },
  ($) => `INSERT INTO audit_entry (actor, action, subject, detail)
    VALUES ('npm run tenant', ${$.action}, ${$.tenant}, ${$.detail})`,
);
