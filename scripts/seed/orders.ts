import type { Pool } from 'pg';

const rowsPerStatement = 50_000;

/**
 * Each order takes one customer by its number. Some names are Chinese, and some contain what a spreadsheet would run.
 */
const customers = [
  'Ada Lovelace',
  '李伟',
  'Grace Hopper',
  '王芳',
  'Jürgen Weiß',
  '深圳市海风贸易有限公司',
  'Zoë Åström',
  '张敏',
  'Søren Kierkegård',
  'María Núñez',
  '上海晨光文具店',
  "Miles O'Brien",
  'Smith, Jones & Co. "Traders"',
];

const countries = ['DE', 'CN', 'FR', 'US', 'SE', 'ES', 'NL'];

const products = [
  'Desk lamp 台灯',
  'Notebook A5',
  'Fountain pen 钢笔',
  'Office chair',
  'Keyboard, wireless',
  'Monitor 27"',
  'Tea set 茶具',
  'Backpack',
  'Headphones',
  'Water bottle',
  'Desk pad',
];

const statuses = ['paid', 'shipped', 'delivered', 'delivered', 'delivered', 'refunded'];

const notes = [
  '=HYPERLINK("http://evil.example","open me")',
  '+49 151 12345678 anrufen',
  '-please ring twice',
  '@reception',
  'Two\nlines',
  '请放在门口, "谢谢"',
];

/** Every 8th order has a note. */
const notesEvery = 8;

/** Orders are spread evenly over two years. */
const begin = '2024-01-01T00:00:00Z';
const seconds = 2 * 365 * 24 * 60 * 60;

/**
 * Adds the orders 1 to `count` of a tenant. The same count gives the same rows on every machine: they are computed from
 * their numbers. Existing rows stay.
 * @returns how many were added
 */
export async function seedOrders(pool: Pool, count: number, tenant = 'demo'): Promise<number> {
  let added = 0;
  for (let from = 1; from <= count; from += rowsPerStatement) {
    const to = Math.min(count, from + rowsPerStatement - 1);
    const { rowCount } = await pool.query(
      `INSERT INTO customer_order
         (tenant, number, placed_at, customer, country, product, quantity, unit_price_cents, total_cents, status, note)
       SELECT $11, n, $3::timestamptz + n * $4::float8 / $5 * interval '1 second',
              ($6::text[])[1 + mix % ${customers.length}], ($7::text[])[1 + mix / 16 % ${countries.length}],
              ($8::text[])[1 + mix / 64 % ${products.length}], 1 + mix / 256 % 5,
              990 + mix % 9000 * 10, (1 + mix / 256 % 5) * (990 + mix % 9000 * 10),
              ($9::text[])[1 + mix / 1024 % ${statuses.length}],
              CASE WHEN n % ${notesEvery} = 0 THEN ($10::text[])[1 + n / ${notesEvery} % ${notes.length}] END
         FROM generate_series($1::bigint, $2::bigint) AS n,
              LATERAL (SELECT n * 2654435761 % 4294967296 / 8 AS mix) AS mixed
       ON CONFLICT DO NOTHING`,
      [from, to, begin, seconds, count, customers, countries, products, statuses, notes, tenant],
    );
    added += rowCount ?? 0;
  }
  await pool.query('ANALYZE customer_order');
  return added;
}
