import { columnsOf, inTransaction, statement, type Placeholders, type Transaction } from '@app/ledger';
import type { ProductRecord } from './change-product';

/** A product as the event `product.changed` describes it. */
export interface ChangedProduct extends ProductRecord {
  readonly tenant: string;
}

const parameters = {
  tenant: 'text[]',
  sku: 'text[]',
  name: 'text[]',
  description: 'text[]',
  priceCents: 'int[]',
  version: 'int[]',
  updatedAt: 'timestamptz[]',
} as const;

/**
 * The SQL part that writes products into generations of the model. An older version never replaces a newer one, in
 * whatever order they come.
 * @param generation an SQL expression
 * @param products the rest of a SELECT of products, from its FROM
 */
export const upsertFrom = (generation: string, products: string): string => `
  INSERT INTO product_search AS known (tenant, generation, sku, name, description, price_cents, version, updated_at)
  SELECT tenant, ${generation}, sku, name, description, price_cents, version, updated_at ${products}
  ON CONFLICT (tenant, generation, sku) DO UPDATE
     SET name = excluded.name, description = excluded.description, price_cents = excluded.price_cents,
         version = excluded.version, updated_at = excluded.updated_at
   WHERE excluded.version > known.version`;

/**
 * Writes the newest version of each product into generations of the model. Rows are written in one order, so that two processes never deadlock.
 * @param generations a query of (tenant, generation) over `newest`
 */
const upsertText = ($: Placeholders<typeof parameters>, generations: string) => `
  WITH changed AS (
    SELECT * FROM unnest(${$.tenant}, ${$.sku}, ${$.name}, ${$.description}, ${$.priceCents}, ${$.version}, ${$.updatedAt})
      AS changed(tenant, sku, name, description, price_cents, version, updated_at)
  ), newest AS (
    SELECT DISTINCT ON (tenant, sku) * FROM changed ORDER BY tenant, sku, version DESC
  ), written_to AS (
    ${generations}
  )
  ${upsertFrom('generation', 'FROM newest JOIN written_to USING (tenant) ORDER BY tenant, generation, sku')}`;

/** Writes to the generation in use and to all that are being built, so that none misses a change. */
const upsertOpen = statement<never>('product_search_upsert_open').with(parameters, ($) =>
  upsertText(
    $,
    `
    SELECT tenant, coalesce(live, 0) AS generation
      FROM (SELECT DISTINCT tenant FROM newest) tenants LEFT JOIN product_model USING (tenant)
    UNION
    SELECT tenants.tenant, product_generation.id
      FROM (SELECT DISTINCT tenant FROM newest) tenants
      JOIN product_generation ON product_generation.tenant = tenants.tenant OR product_generation.tenant IS NULL`,
  ),
);

const upsertOne = statement<never>('product_search_upsert_one').with({ ...parameters, generation: 'bigint' }, ($) =>
  upsertText($, `SELECT DISTINCT tenant, ${$.generation} AS generation FROM newest`),
);

/** Runs in the transaction of the events. */
export async function writeToSearchModel(tx: Transaction, products: readonly ChangedProduct[]): Promise<void> {
  await upsertOpen.run(inTransaction(tx), arraysOf(products));
}

/** Runs in the transaction of the events. @param generation the only generation that is written to */
export async function writeToGeneration(
  tx: Transaction,
  products: readonly ChangedProduct[],
  generation: bigint,
): Promise<void> {
  await upsertOne.run(inTransaction(tx), { ...arraysOf(products), generation });
}

function arraysOf(products: readonly ChangedProduct[]) {
  return {
    ...columnsOf(products, 'tenant', 'sku', 'name', 'description', 'priceCents', 'version'),
    updatedAt: products.map(({ updatedAt }) => updatedAt.toISOString()),
  };
}
