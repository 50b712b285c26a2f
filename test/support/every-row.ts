import { Client } from 'pg';

/** All rows of all tables, including those of BullMQ. */
export async function everyRow(databaseUrl: string): Promise<string> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const all: Record<string, unknown> = {};
  for (const { name } of tables) {
    const { rows } = await client.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
    all[name] = rows.map(({ row }) => row);
  }
  await client.end();
  return JSON.stringify(all);
}
