import { statement, type Database } from '@app/ledger';
import { productChanged } from './product-changed';

export interface ProductRecord {
  readonly sku: string;
  readonly name: string;
  readonly description: string;
  readonly priceCents: number;
  readonly version: number;
  readonly updatedAt: Date;
}

/** The columns of a `ProductRecord`. */
export const productColumns = 'sku, name, description, price_cents AS "priceCents", version, updated_at AS "updatedAt"';

/**
 * Changes a product; the caller must wake the relay afterwards. `expectedVersion` is the version that the change replaces:
 * 0 for a new product, undefined for any version. Returns no row when the product has another version.
 *
 * Writes product and event in one statement and one commit. Concurrent changes of one product wait for its row lock
 * before their events get numbers: events are published in the order of the versions.
 */
export const changeProduct = statement<ProductRecord>('product_change').with(
  {
    tenant: 'text',
    sku: 'text',
    name: 'text',
    description: 'text',
    priceCents: 'int',
    expectedVersion: 'int?',
    changedBy: 'text',
    traceparent: 'text?',
  },
  ($) => `WITH changed AS (
     INSERT INTO product (tenant, sku, name, description, price_cents)
     SELECT ${$.tenant}, ${$.sku}, ${$.name}, ${$.description}, ${$.priceCents}
      WHERE coalesce(${$.expectedVersion}, 0) = 0
         OR EXISTS (SELECT FROM product WHERE tenant = ${$.tenant} AND sku = ${$.sku})
     ON CONFLICT (tenant, sku) DO UPDATE
        SET name = excluded.name, description = excluded.description, price_cents = excluded.price_cents,
            version = product.version + 1, updated_at = now()
      WHERE ${$.expectedVersion} IS NULL OR product.version = ${$.expectedVersion}
     RETURNING *
   ), published AS (
     INSERT INTO event_outbox (kind, version, tenant, key, traceparent, data)
     SELECT '${productChanged.kind}', ${productChanged.version}, tenant, sku, ${$.traceparent},
            jsonb_build_object('sku', sku, 'name', name, 'description', description, 'priceCents', price_cents,
              'version', version, 'updatedAt', updated_at, 'changedBy', ${$.changedBy})
       FROM changed
   )
   SELECT ${productColumns} FROM changed`,
);

const versionStatement = statement<{ version: number }>('product_version').with(
  { tenant: 'text', sku: 'text' },
  ($) => `SELECT version FROM product WHERE tenant = ${$.tenant} AND sku = ${$.sku}`,
);

/** @returns 0 when there is no such product */
export async function readProductVersion(database: Database, tenant: string, sku: string): Promise<number> {
  const [row] = await versionStatement.run(database, { tenant, sku });
  return row?.version ?? 0;
}
