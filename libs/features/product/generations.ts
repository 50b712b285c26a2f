import { Statement, type Database, type Transaction } from '@app/ledger';

/**
 * A generation of the search model that is built beside the one that is read.
 *
 * It misses nothing, although nobody locks anything. An event is told after the commit of its product. So the
 * transaction that handles it either sees the generation, which was committed before anything was read into it, and
 * writes to it; or has begun before that, and then the product was committed before the first of it was read.
 * Which of two writes of a product comes first does not matter: the higher version stays.
 */
export interface Generation {
  readonly id: bigint;
  readonly tenant: string;
}

const openStatement = new Statement<{ id: string }>(
  'product_generation_open',
  `INSERT INTO product_generation AS known (tenant, built_by) VALUES ($1, $2)
   ON CONFLICT (coalesce(tenant, ''), built_by) DO UPDATE SET built_by = known.built_by
   RETURNING id`,
);

const abandonStatement = new Statement<never>(
  'product_generation_abandon',
  `DELETE FROM product_generation WHERE tenant = $1 AND built_by <> $2`,
);

/** @param builder the same builder goes on with what it has begun; what others of this tenant have begun is given up */
export async function openGeneration(database: Database, tenant: string, builder: string): Promise<Generation> {
  await abandonStatement.run(database, tenant, builder);
  const [row] = await openStatement.run(database, tenant, builder);
  return { id: BigInt(row!.id), tenant };
}

/** For all tenants, beside which runs of their own go on. */
export async function openGenerationOfAll(database: Database, builder: string): Promise<bigint> {
  const [row] = await openStatement.run(database, null, builder);
  return BigInt(row!.id);
}

const closeStatement = new Statement<never>('product_generation_close', `DELETE FROM product_generation WHERE id = $1`);

/** Nothing more is written to it by whoever hears of changes. */
export async function closeGeneration(database: Database, id: bigint): Promise<void> {
  await closeStatement.run(database, String(id));
}

export interface CopiedPage {
  readonly read: number;
  readonly written: number;
  /** Undefined when there was nothing left. */
  readonly last: string | undefined;
}

const copyStatement = new Statement<{ read: number; written: number; last: string | null }>(
  'product_generation_copy',
  `WITH page AS MATERIALIZED (
     SELECT * FROM product WHERE tenant = $1 AND sku > $3 ORDER BY sku LIMIT $4
   ), written AS (
     INSERT INTO product_search AS known (tenant, generation, sku, name, description, price_cents, version, updated_at)
     SELECT tenant, $2, sku, name, description, price_cents, version, updated_at FROM page ORDER BY sku
     ON CONFLICT (tenant, generation, sku) DO UPDATE
        SET name = excluded.name, description = excluded.description, price_cents = excluded.price_cents,
            version = excluded.version, updated_at = excluded.updated_at
      WHERE excluded.version > known.version
     RETURNING sku
   )
   SELECT (SELECT count(*)::int FROM page) AS read, (SELECT count(*)::int FROM written) AS written,
          (SELECT max(sku) FROM page) AS last`,
);

/** Copies the next products of the table. @param after the last SKU of the page before; empty at the beginning */
export async function copyPage(
  database: Database,
  { id, tenant }: Generation,
  after: string,
  limit: number,
): Promise<CopiedPage> {
  const [page] = await copyStatement.run(database, tenant, String(id), after, limit);
  const { read, written, last } = page!;
  return { read, written, last: last ?? undefined };
}

const countStatement = new Statement<{ count: number }>(
  'product_count',
  `SELECT count(*)::int AS count FROM product WHERE tenant = $1`,
);

export async function countProducts(database: Database, tenant: string): Promise<number> {
  const [row] = await countStatement.run(database, tenant);
  return row!.count;
}

/** From its commit on everybody reads this generation. @throws Error when it was given up meanwhile */
export async function makeLive(tx: Transaction, { id, tenant }: Generation): Promise<void> {
  const swapped = await tx.$executeRaw`
    WITH built AS (
      DELETE FROM product_generation WHERE id = ${id} AND tenant = ${tenant} RETURNING id
    )
    INSERT INTO product_model AS model (tenant, live) SELECT ${tenant}, id FROM built
    ON CONFLICT (tenant) DO UPDATE SET live = excluded.live`;
  if (swapped !== 1) throw new Error(`Generation ${id} of ${tenant} was given up: another run has begun since.`);
}

/**
 * Removes some rows that nobody will read: of the generations before, and of those that were given up. What a
 * transaction of the time before the swap has locked, or writes after this, is removed the next time: to wait for it
 * here would be a deadlock with it.
 * @returns how many
 */
export async function dropClosedRows(tx: Transaction, tenant: string, limit: number): Promise<number> {
  return tx.$executeRaw`
    DELETE FROM product_search
     WHERE ctid = ANY(ARRAY(
       SELECT ctid FROM product_search
        WHERE tenant = ${tenant}
          AND generation <> coalesce((SELECT live FROM product_model WHERE tenant = ${tenant}), 0)
          AND NOT EXISTS (SELECT FROM product_generation WHERE id = generation)
        LIMIT ${limit}
          FOR UPDATE SKIP LOCKED))`;
}

export interface ReplayedTenant {
  readonly tenant: string;
  readonly products: number;
  /** Products that the generation does not have as they are in the table. */
  readonly behind: number;
}

const isBehind = `NOT EXISTS (
    SELECT FROM product_search known
     WHERE known.tenant = product.tenant AND known.generation = $1 AND known.sku = product.sku
       AND known.version >= product.version)`;

const compareStatement = new Statement<ReplayedTenant>(
  'product_generation_compare',
  `SELECT tenant, count(*)::int AS products, count(*) FILTER (WHERE ${isBehind})::int AS behind
     FROM product
    GROUP BY tenant
    ORDER BY tenant`,
);

/** How far a generation of all tenants has come. */
export async function compareGeneration(database: Database, id: bigint): Promise<ReplayedTenant[]> {
  return compareStatement.run(database, String(id));
}

const adoptStatement = new Statement<{ tenant: string }>(
  'product_generation_adopt',
  `INSERT INTO product_model AS model (tenant, live)
   SELECT $2, $1 WHERE NOT EXISTS (SELECT FROM product WHERE tenant = $2 AND ${isBehind})
   ON CONFLICT (tenant) DO UPDATE SET live = excluded.live
   RETURNING tenant`,
);

/** Everybody of this tenant reads the generation from now on, unless it is behind. @returns whether it is read */
export async function adoptGeneration(database: Database, id: bigint, tenant: string): Promise<boolean> {
  return (await adoptStatement.run(database, String(id), tenant)).length === 1;
}

const findStatement = new Statement<{ id: string }>(
  'product_generation_find',
  `SELECT id FROM product_generation WHERE tenant IS NULL AND built_by = $1`,
);

/** The generation of a replay. */
export async function findReplay(database: Database, subscriber: string): Promise<bigint | undefined> {
  const [row] = await findStatement.run(database, subscriber);
  return row && BigInt(row.id);
}
