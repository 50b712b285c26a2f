import type { Pool, PoolClient } from 'pg';

/** Keeps two concurrent migrations from creating the same role. */
const roleLock = 72_707_370;

/**
 * Creates the role that the apps connect as, or sets its password and its rights again. It may read and write rows. It
 * may not create, alter, truncate or drop our tables, and is no superuser. In the schema of BullMQ it may create
 * objects: on PostgreSQL, `addBulk` creates a sequence for each queue when it first needs one.
 * @param pool of the owner of the tables, who may create roles
 * @param appUrl the DATABASE_URL of the apps; its user is the role
 */
export async function grantAppRole(pool: Pool, appUrl: string): Promise<void> {
  const { username, password } = new URL(appUrl);
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [roleLock]);
    for (const statement of await statementsFor(client, decodeURIComponent(username), decodeURIComponent(password))) {
      await client.query(statement);
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

async function statementsFor(client: PoolClient, name: string, password: string): Promise<string[]> {
  const { rows } = await client.query<{ database: string; owner: string; exists: boolean; schemas: string[] }>(
    `SELECT current_database() AS database, current_user AS owner,
            EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS exists,
            ARRAY(SELECT nspname::text FROM pg_namespace WHERE nspname IN (current_schema(), 'bullmq')) AS schemas`,
    [name],
  );
  const { database, owner, exists, schemas } = rows[0]!;
  if (name === '' || name === owner) {
    throw new Error(`DATABASE_APP_URL: expected a user of its own, other than the one of DATABASE_URL, got "${name}"`);
  }
  const role = client.escapeIdentifier(name);
  const options = `LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD ${client.escapeLiteral(password)}`;
  return [
    `${exists ? 'ALTER' : 'CREATE'} ROLE ${role} ${options}`,
    `GRANT CONNECT ON DATABASE ${client.escapeIdentifier(database)} TO ${role}`,
    ...schemas.flatMap((found) => {
      const schema = client.escapeIdentifier(found);
      return [
        `REVOKE CREATE ON SCHEMA ${schema} FROM PUBLIC, ${role}`, // PostgreSQL 14 lets every user create in public.
        `GRANT ${found === 'bullmq' ? 'USAGE, CREATE' : 'USAGE'} ON SCHEMA ${schema} TO ${role}`,
        `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role}`,
        `GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role}`,
        `GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ${schema} TO ${role}`,
      ];
    }),
    `REVOKE ALL ON _prisma_migrations FROM ${role}`,
  ];
}
