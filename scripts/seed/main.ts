import '../../libs/configuration/src/check-node.cjs';
import { parseArgs } from 'node:util';
import { createPool } from '@app/ledger';
import { databaseUrl } from '../postgres/database-url';
import { hasOrders, seedOrders } from './orders';
import { hasProducts, seedProducts } from './products';

const usage = 'npm run seed -- [--orders 100000] [--products 500] [--tenant demo] [--only-if-empty]';

/** The same pattern as in the keys of the API. */
const tenantPattern = /^[a-z0-9-]{1,63}$/;

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
  const orders = countOf('orders', values.orders);
  const products = countOf('products', values.products);
  if (!tenantPattern.test(tenant)) {
    throw new Error(`--tenant: expected a to z, 0 to 9 and "-", got "${tenant}". ${usage}`);
  }
  const pool = createPool(databaseUrl(), { application_name: 'seed', max: 1, connectionTimeoutMillis: 10_000 });
  try {
    if (!onlyIfEmpty || !(await hasOrders(pool, tenant))) {
      process.stdout.write(`${await seedOrders(pool, orders, tenant)} orders added\n`);
    }
    if (!onlyIfEmpty || !(await hasProducts(pool, tenant))) {
      process.stdout.write(`${await seedProducts(pool, products, tenant)} products added\n`);
    }
  } finally {
    await pool.end();
  }
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
