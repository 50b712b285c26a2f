import '../../libs/configuration/src/check-node.cjs';
import { parseArgs } from 'node:util';
import type { Pool } from 'pg';
import { createPool } from '@app/ledger';
import { databaseUrl } from '../postgres/database-url';
import { seedOrders } from './orders';
import { seedProducts } from './products';

const usage = 'npm run seed -- [--orders 100000] [--products 500] [--tenant demo] [--only-if-empty]';

/** The same pattern as in the keys of the API. */
const tenantPattern = /^[a-z0-9-]{1,63}$/;

/** @returns how many rows it has added */
type Seed = (pool: Pool, count: number, tenant: string) => Promise<number>;

/** The tables with data to try the system with. */
const tables: readonly { name: 'orders' | 'products'; table: string; seed: Seed }[] = [
  { name: 'orders', table: 'customer_order', seed: seedOrders },
  { name: 'products', table: 'product', seed: seedProducts },
];

/** Fills a database with data of one tenant, for trying the system. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      orders: { type: 'string', default: '100000' },
      products: { type: 'string', default: '500' },
      tenant: { type: 'string', default: 'demo' },
      'only-if-empty': { type: 'boolean', default: false },
    },
  });
  const { tenant, 'only-if-empty': onlyIfEmpty } = values;
  const wanted = tables.map((one) => ({ ...one, count: countOf(one.name, values[one.name]) }));
  if (!tenantPattern.test(tenant)) {
    throw new Error(`--tenant: expected a to z, 0 to 9 and "-", got "${tenant}". ${usage}`);
  }
  const pool = createPool(databaseUrl(), { application_name: 'seed', max: 1, connectionTimeoutMillis: 10_000 });
  try {
    for (const { name, table, seed, count } of wanted) {
      if (onlyIfEmpty && !(await isEmpty(pool, table, tenant))) continue;
      process.stdout.write(`${await seed(pool, count, tenant)} ${name} added\n`);
    }
  } finally {
    await pool.end();
  }
}

/** @param table one of {@link tables} */
async function isEmpty(pool: Pool, table: string, tenant: string): Promise<boolean> {
  const { rows } = await pool.query(`SELECT FROM ${table} WHERE tenant = $1 LIMIT 1`, [tenant]);
  return rows.length === 0;
}

function countOf(option: string, text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new Error(`--${option}: expected a whole number from 1, got "${text}". ${usage}`);
}

main().catch((error: unknown) => {
  process.stderr.write(`seed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
