import { statement, type Database, type Transaction } from '@app/ledger';
import { upsertFrom } from './search-model';

/**
 * A generation of the search model that is built beside the one in use.
 *
 * It misses no change, and needs no locks. An event is published after the commit of its product. The transaction that
 * handles the event either sees the generation, which was committed before any product was copied into it, and writes
 * to it. Or that transaction began earlier, and then the product was committed before the first product was copied. The
 * order of two writes of a product does not matter: the higher version stays.
 */
export interface Generation {
  readonly id: bigint;
  readonly tenant: string;
}

const openStatement = statement<{ id: string }>('product_generation_open').with(
  { tenant: 'text?', builder: 'text' },
  ($) => `INSERT INTO product_generation AS known (tenant, built_by) VALUES (${$.tenant}, ${$.builder})
   ON CONFLICT (coalesce(tenant, ''), built_by) DO UPDATE SET built_by = known.built_by
   RETURNING id`,
);

const abandonStatement = statement<never>('product_generation_abandon').with(
  { tenant: 'text', builder: 'text' },
  ($) => `DELETE FROM product_generation WHERE tenant = ${$.tenant} AND built_by <> ${$.builder}`,
);

/**
 * Opens the generation of a builder. The same builder continues its earlier one; generations of this tenant by other
 * builders are abandoned.
 */
export async function openGeneration(database: Database, tenant: string, builder: string): Promise<Generation> {
  await abandonStatement.run(database, { tenant, builder });
  const [row] = await openStatement.run(database, { tenant, builder });
  return { id: BigInt(row!.id), tenant };
}

/** Opens a generation for all tenants. Builds of single tenants continue beside it. */
export async function openGenerationOfAll(database: Database, builder: string): Promise<bigint> {
  const [row] = await openStatement.run(database, { tenant: null, builder });
  return BigInt(row!.id);
}

/** Subscribers write no more changes to this generation. */
export const closeGeneration = statement<never>('product_generation_close').with(
  { id: 'bigint' },
  ($) => `DELETE FROM product_generation WHERE id = ${$.id}`,
);

export interface CopiedPage {
  readonly read: number;
  readonly written: number;
  /** The last SKU of the page; undefined when no product was left. */
  readonly last: string | undefined;
}

const copyStatement = statement<{ read: number; written: number; last: string | null }>('product_generation_copy').with(
  { tenant: 'text', id: 'bigint', after: 'text', limit: 'int' },
  ($) => `WITH page AS MATERIALIZED (
     SELECT * FROM product WHERE tenant = ${$.tenant} AND sku > ${$.after} ORDER BY sku LIMIT ${$.limit}
   ), written AS (
     ${upsertFrom($.id, 'FROM page ORDER BY sku')}
     RETURNING sku
   )
   SELECT (SELECT count(*)::int FROM page) AS read, (SELECT count(*)::int FROM written) AS written,
          (SELECT max(sku) FROM page) AS last`,
);

/**
 * Copies the next products of the table into a generation.
 * @param after the last SKU of the previous page; empty for the first page
 * @param limit products at most
 */
export async function copyPage(
  database: Database,
  { id, tenant }: Generation,
  after: string,
  limit: number,
): Promise<CopiedPage> {
  const [page] = await copyStatement.run(database, { tenant, id, after, limit });
  const { read, written, last } = page!;
  return { read, written, last: last ?? undefined };
}

const countStatement = statement<{ count: number }>('product_count').with(
  { tenant: 'text' },
  ($) => `SELECT count(*)::int AS count FROM product WHERE tenant = ${$.tenant}`,
);

/** @returns how many products a tenant has */
export async function countProducts(database: Database, tenant: string): Promise<number> {
  const [row] = await countStatement.run(database, { tenant });
  return row!.count;
}

/**
 * Makes the generation the one that searches read, from the commit on.
 * @throws Error when the generation was abandoned meanwhile
 */
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
 * Deletes some rows of earlier and of abandoned generations. Skips rows that a transaction from before the swap has
 * locked; a later call deletes these, and rows written after this call. Waiting for them here would be a deadlock.
 * @returns the number of deleted rows
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
  /** How many products the generation lacks or has in an older version. */
  readonly behind: number;
}

const isBehind = (id: string): string => `NOT EXISTS (
    SELECT FROM product_search known
     WHERE known.tenant = product.tenant AND known.generation = ${id} AND known.sku = product.sku
       AND known.version >= product.version)`;

/** Compares a generation of all tenants with the table of products, by tenant. */
export const compareGeneration = statement<ReplayedTenant>('product_generation_compare').with(
  { id: 'bigint' },
  ($) => `SELECT tenant, count(*)::int AS products, count(*) FILTER (WHERE ${isBehind($.id)})::int AS behind
     FROM product
    GROUP BY tenant
    ORDER BY tenant`,
);

const adoptStatement = statement<{ tenant: string }>('product_generation_adopt').with(
  { id: 'bigint', tenant: 'text' },
  ($) => `INSERT INTO product_model AS model (tenant, live)
   SELECT ${$.tenant}, ${$.id} WHERE NOT EXISTS (SELECT FROM product WHERE tenant = ${$.tenant} AND ${isBehind($.id)})
   ON CONFLICT (tenant) DO UPDATE SET live = excluded.live
   RETURNING tenant`,
);

/** Makes the generation the one that searches of this tenant read, unless it is behind. @returns whether it did */
export async function adoptGeneration(database: Database, id: bigint, tenant: string): Promise<boolean> {
  return (await adoptStatement.run(database, { id, tenant })).length === 1;
}

const findStatement = statement<{ id: string }>('product_generation_find').with(
  { builder: 'text' },
  ($) => `SELECT id FROM product_generation WHERE tenant IS NULL AND built_by = ${$.builder}`,
);

/** @returns the generation that a replay builds; undefined when there is none */
export async function findReplay(database: Database, subscriber: string): Promise<bigint | undefined> {
  const [row] = await findStatement.run(database, { builder: subscriber });
  return row && BigInt(row.id);
}
