import type { Pool } from 'pg';

const colors = ['Blue', 'Green', 'Red', 'White', 'Black', '蓝色', '绿色'];

const things = [
  ['mug', 'mug', 'Holds 300 ml, survives dishwashers.'],
  ['lamp', 'desk lamp 台灯', 'Warm light, three levels.'],
  ['pen', 'fountain pen 钢笔', 'Writes without pressure; takes standard cartridges.'],
  ['chair', 'office chair', 'Adjusts in height, rolls on carpet.'],
  ['tea', 'tea set 茶具', 'A pot and four cups of porcelain.'],
  ['bag', 'backpack', 'Holds a laptop of 15 inches, keeps the rain out.'],
] as const;

/**
 * Adds `count` products of a tenant, the same on every machine. Existing products stay. Publishes no events: a sync run
 * finds the products and writes them to the search model.
 * @returns how many were added
 */
export async function seedProducts(pool: Pool, count: number, tenant: string): Promise<number> {
  const { rowCount } = await pool.query(
    `INSERT INTO product (tenant, sku, name, description, price_cents)
     SELECT $2, ($4::text[])[1 + n % ${things.length}] || '-' || lpad(n::text, 4, '0'),
            ($3::text[])[1 + n % ${colors.length}] || ' ' || ($5::text[])[1 + n % ${things.length}],
            ($6::text[])[1 + n % ${things.length}], 490 + n * 370 % 9000
       FROM generate_series(1, $1::int) AS n
     ON CONFLICT DO NOTHING`,
    [
      count,
      tenant,
      colors,
      things.map(([sku]) => sku),
      things.map(([, name]) => name),
      things.map(([, , description]) => description),
    ],
  );
  await pool.query('ANALYZE product');
  return rowCount ?? 0;
}
