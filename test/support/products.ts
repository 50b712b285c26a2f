import type { Pool } from 'pg';

export interface ModelRow {
  readonly tenant: string;
  readonly sku: string;
  readonly name: string;
  readonly description: string;
  readonly priceCents: number;
  readonly version: number;
  readonly updatedAt: string;
}

const columns = `tenant, sku, name, description, price_cents AS "priceCents", version, updated_at::text AS "updatedAt"`;

/** The rows that searches read, of all tenants. */
export async function liveModel(pool: Pool): Promise<ModelRow[]> {
  const { rows } = await pool.query<ModelRow>(
    `SELECT ${columns} FROM product_search LEFT JOIN product_model USING (tenant)
      WHERE generation = coalesce(live, 0)
      ORDER BY tenant, sku`,
  );
  return rows;
}

/** All rows of one generation, including their search index. */
export async function bytesOf(pool: Pool, generation: string): Promise<string[]> {
  const { rows } = await pool.query<{ bytes: string }>(
    `SELECT row(tenant, sku, name, description, price_cents, version, updated_at, document)::text AS bytes
       FROM product_search WHERE generation = $1 ORDER BY tenant, sku`,
    [generation],
  );
  return rows.map(({ bytes }) => bytes);
}

/** The rows that the search model should have. */
export async function productTable(pool: Pool): Promise<ModelRow[]> {
  const { rows } = await pool.query<ModelRow>(`SELECT ${columns} FROM product ORDER BY tenant, sku`);
  return rows;
}

export async function auditOf(
  pool: Pool,
): Promise<{ tenant: string; sku: string; version: number; name: string; changedBy: string }[]> {
  const { rows } = await pool.query(
    `SELECT tenant, sku, version, name, changed_by AS "changedBy" FROM product_audit ORDER BY tenant, sku, version`,
  );
  return rows;
}
