import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startCore, type Core } from '../support/core';
import { projectFolder } from '../support/postgres';

const script = join(projectFolder, 'dist/scripts/seed/main.js');

describe('npm run seed', () => {
  let core: Core;

  beforeAll(async () => {
    core = await startCore([], { worker: false, relay: false });
  });

  afterAll(() => core.close());

  async function seed(...options: string[]): Promise<string> {
    const env = { ...process.env, DATABASE_URL: core.databaseUrl };
    const { stdout } = await promisify(execFile)(process.execPath, [script, ...options], { env });
    return stdout;
  }

  const rowsOf = async (table: string, tenant: string) =>
    (await core.pool.query(`SELECT FROM ${table} WHERE tenant = $1`, [tenant])).rowCount;

  it('adds orders and products to one tenant (demo by default), and none with --only-if-empty where rows exist', async () => {
    expect(await seed('--orders', '20', '--products', '10', '--only-if-empty')).toBe(
      '20 orders added\n10 products added\n',
    );
    expect(await seed('--orders', '30', '--products', '15', '--only-if-empty')).toBe('');
    expect(await seed('--orders', '5', '--products', '3', '--tenant', 'shop', '--only-if-empty')).toBe(
      '5 orders added\n3 products added\n',
    );
    // Existing rows stay, and only the missing ones are added.
    expect(await seed('--orders', '25', '--products', '10')).toBe('5 orders added\n0 products added\n');
    for (const [tenant, orders, products] of [
      ['demo', 25, 10],
      ['shop', 5, 3],
    ] as const) {
      expect([tenant, await rowsOf('customer_order', tenant), await rowsOf('product', tenant)]).toEqual([
        tenant,
        orders,
        products,
      ]);
    }
  });

  it('refuses a tenant name that no API key can have', async () => {
    await expect(seed('--tenant', 'Shop 1')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--tenant: expected a to z, 0 to 9 and "-", got "Shop 1"'),
    });
  });
});
