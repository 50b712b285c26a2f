import { withOrders } from '@app/features/report';
import { seedOrders } from '../../scripts/seed/orders';
import { startCore, type Core } from '../support/core';

describe('a read of the orders of a period', () => {
  let core: Core;

  beforeAll(async () => {
    core = await startCore([], { worker: false, relay: false });
    await seedOrders(core.pool, 20, 'shop');
    await seedOrders(core.pool, 7, 'rival');
  });

  afterAll(() => core.close());

  it.each([
    ['shop', 20],
    ['rival', 7],
    ['nobody', 0],
  ])('returns only the orders of the tenant %s', async (tenant, expected) => {
    const period = { tenant, from: undefined, to: new Date(Date.now() + 60_000) };
    const { signal } = new AbortController();
    const read = await withOrders(core.pool, period, signal, async ({ count, batches }) => {
      let rows = 0;
      for await (const batch of batches) rows += batch.length;
      return { count, rows };
    });
    expect(read).toEqual({ count: expected, rows: expected });
  });
});
