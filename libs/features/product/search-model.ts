import type { Prisma } from '@app/database';
import type { ProductRecord } from './change-product';

/** A product as the event `product.changed` describes it. */
export interface ChangedProduct extends ProductRecord {
  readonly tenant: string;
}

/**
 * Writes products into generations of the model. An older version never replaces a newer one, in whatever order they
 * come. Rows are written in one order, so that two processes never deadlock.
 * @param generations a query of (tenant, generation) over `newest`
 */
const upsertText = (generations: string) => `
  WITH changed AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::int[], $7::timestamptz[])
      AS changed(tenant, sku, name, description, price_cents, version, updated_at)
  ), newest AS (
    SELECT DISTINCT ON (tenant, sku) * FROM changed ORDER BY tenant, sku, version DESC
  ), written_to AS (
    ${generations}
  )
  INSERT INTO product_search AS known (tenant, generation, sku, name, description, price_cents, version, updated_at)
  SELECT tenant, generation, sku, name, description, price_cents, version, updated_at
    FROM newest JOIN written_to USING (tenant)
   ORDER BY tenant, generation, sku
  ON CONFLICT (tenant, generation, sku) DO UPDATE
     SET name = excluded.name, description = excluded.description, price_cents = excluded.price_cents,
         version = excluded.version, updated_at = excluded.updated_at
   WHERE excluded.version > known.version`;

/** Writes to the generation in use and to all that are being built, so that none misses a change. */
const upsertOpenText = upsertText(`
    SELECT tenant, coalesce(live, 0) AS generation
      FROM (SELECT DISTINCT tenant FROM newest) tenants LEFT JOIN product_model USING (tenant)
    UNION
    SELECT tenants.tenant, product_generation.id
      FROM (SELECT DISTINCT tenant FROM newest) tenants
      JOIN product_generation ON product_generation.tenant = tenants.tenant OR product_generation.tenant IS NULL`);

const upsertOneText = upsertText(`SELECT DISTINCT tenant, $8::bigint AS generation FROM newest`);

/** Runs in the transaction of the events. */
export async function writeToSearchModel(
  tx: Prisma.TransactionClient,
  products: readonly ChangedProduct[],
): Promise<void> {
  await tx.$executeRawUnsafe(upsertOpenText, ...arraysOf(products));
}

/** Runs in the transaction of the events. @param generation the only generation that is written to */
export async function writeToGeneration(
  tx: Prisma.TransactionClient,
  products: readonly ChangedProduct[],
  generation: bigint,
): Promise<void> {
  await tx.$executeRawUnsafe(upsertOneText, ...arraysOf(products), generation);
}

function arraysOf(products: readonly ChangedProduct[]): unknown[] {
  const all = <Value>(value: (product: ChangedProduct) => Value): Value[] => products.map(value);
  return [
    all(({ tenant }) => tenant),
    all(({ sku }) => sku),
    all(({ name }) => name),
    all(({ description }) => description),
    all(({ priceCents }) => priceCents),
    all(({ version }) => version),
    all(({ updatedAt }) => updatedAt.toISOString()),
  ];
}
