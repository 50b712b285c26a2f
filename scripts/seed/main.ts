import '../../libs/configuration/src/check-node.cjs';
import { parseArgs } from 'node:util';
import { createPool } from '@app/persistence';
import { databaseUrl } from '../postgres/database-url';
import { hasOrders, seedOrders } from './orders';

const usage = 'npm run seed -- [--orders 100000] [--only-if-empty]';

/** Fills a database with data to try the system with. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { orders: { type: 'string', default: '100000' }, 'only-if-empty': { type: 'boolean', default: false } },
  });
  const orders = Number(values.orders);
  if (!Number.isInteger(orders) || orders < 1) throw new Error(`--orders: expected a whole number from 1. ${usage}`);
  const pool = createPool(databaseUrl(), { application_name: 'seed', max: 1, connectionTimeoutMillis: 10_000 });
  try {
    if (values['only-if-empty'] && (await hasOrders(pool))) return;
    const added = await seedOrders(pool, orders);
    process.stdout.write(`${added} orders added\n`);
  } finally {
    await pool.end();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`seed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
