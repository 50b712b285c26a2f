import {
  productChanged,
  syncRun,
  changeProduct,
  copyPage,
  dropClosedRows,
  makeLive,
  openGeneration,
  searchProducts,
  type ProductRecord,
  writeToSearchModel,
} from '@app/features/product';
import { audit, AuditHandler } from '../../apps/sync-worker/src/audit.handler';
import { search, SearchHandler } from '../../apps/sync-worker/src/search.handler';
import { SyncRunHandler } from '../../apps/sync-worker/src/sync-run.handler';
import { startCore, tenant, type Core } from '../support/core';
import { gate } from '../support/gate';
import { auditOf, liveModel, productTable } from '../support/products';
import { until } from '../support/until';

const subscriptions = [
  { subscription: search, handler: new SearchHandler() },
  { subscription: audit, handler: new AuditHandler() },
] as never;

describe('the search model', () => {
  let core: Core;

  beforeEach(async () => {
    core = await startCore(
      [[syncRun, (job, context) => new SyncRunHandler(core.pool, core.prisma).handle(job, context)]],
      { events: subscriptions, leaseMs: 15_000 },
    );
  });

  afterEach(() => core.close());

  async function change(sku: string, name: string, expectedVersion?: number, of = tenant) {
    const fields = { sku, name, description: `about ${name}`, priceCents: name.length };
    const [changed] = await changeProduct.run(core.pool, {
      tenant: of,
      ...fields,
      expectedVersion,
      changedBy: 'a test',
      traceparent: null,
    });
    core.wakeUp.request('events');
    return changed;
  }

  /** An event as the relay publishes it, or a copy of it. */
  const message = (sku: string, version: number, id: string) => ({
    id,
    kind: productChanged.kind,
    version: 1,
    tenant,
    key: sku,
    at: new Date(),
    traceparent: null,
    data: {
      sku,
      name: `${sku} in version ${version}`,
      description: 'as changed',
      priceCents: version,
      version,
      updatedAt: '2026-11-24T10:00:00.000Z',
      changedBy: 'a test',
    },
  });

  const idOf = (n: number) => `019e0000-0000-7000-8000-${String(n).padStart(12, '0')}`;

  const find = async (question: string, of = tenant) =>
    (await searchProducts(core.pool, of, { question, after: undefined, limit: 10 })).map(({ sku }) => sku);

  const allHandled = () =>
    until(
      'every change is published and handled by both subscribers',
      async () => {
        const { rows } = await core.pool.query<{ left: number; handled: number; changes: number }>(
          `SELECT (SELECT count(*)::int FROM event_outbox) AS left,
                  (SELECT count(*)::int FROM processed_message WHERE consumer IN ('search', 'audit')) AS handled,
                  (SELECT coalesce(sum(version), 0)::int FROM product) AS changes`,
        );
        return rows[0]!;
      },
      ({ left, handled, changes }) => left === 0 && handled === 2 * changes,
    );

  async function runToEnd(): Promise<unknown> {
    const id = await core.enqueue(syncRun, { source: 'products' });
    await until(
      'the run has ended',
      () => core.read(id),
      ({ state }) => state === 'completed' || state === 'failed',
    );
    return (await core.read(id)).result;
  }

  it('finds products by the beginning of a word, a word form or a part of a SKU, and only those of the tenant', async () => {
    await change('MUG-0042', "Blue mugs for O'Neill");
    await change('KET-1', 'Kettle');
    await change('MUG-0042', 'Secret mug', undefined, 'rival');
    await allHandled();
    expect(await find('blu')).toEqual(['MUG-0042']);
    expect(await find('mug')).toEqual(['MUG-0042']);
    expect(await find('MUG-0042')).toEqual(['MUG-0042']);
    expect(await find('0042')).toEqual(['MUG-0042']);
    expect(await find("o'nei")).toEqual(['MUG-0042']);
    expect(await find('ABOUT ket')).toEqual(['KET-1']);
    expect(await find('blue kettle')).toEqual([]);
    expect(await find('secret')).toEqual([]);
    expect(await find('secret', 'rival')).toEqual(['MUG-0042']);
    // No input is an operator or raises an error.
    for (const junk of ['', '&', "'", '\\', 'zz:*b', '!(', "''", "\\'", '<->', '日本', 'https://a.example/b?c=d']) {
      expect(await find(junk)).toEqual([]);
    }
  });

  it('lists the best match first, page by page, each product once', async () => {
    await change('A', 'Teapot');
    await change('B', 'Cup');
    await changeProduct.run(core.pool, {
      tenant,
      sku: 'C',
      name: 'Tray',
      description: 'for a teapot',
      priceCents: 1,
      expectedVersion: undefined,
      changedBy: 'a test',
      traceparent: null,
    });
    await change('D', 'Teapot, large');
    await allHandled();
    const pages: string[] = [];
    let after: { rank: number; sku: string } | undefined;
    for (;;) {
      const [next] = await searchProducts(core.pool, tenant, { question: 'teapot', after, limit: 1 });
      if (!next) break;
      pages.push(next.sku);
      after = next;
    }
    expect(pages).toEqual(['A', 'D', 'C']);
  });

  it('ignores an older version and a copy of an event', async () => {
    const { driver } = core;
    let copies = 0;
    core.signals.on(
      'events_handled',
      (_kind, subscriber, _fresh, came) => (copies += subscriber === 'search' ? came : 0),
    );
    const come = (expected: number) =>
      until(
        `${expected} have come`,
        () => Promise.resolve(copies),
        (count) => count === expected,
      );
    // Of a group, only the newest version is written. Later deliveries meet that version.
    await driver.publishEvents([message('A', 3, idOf(3)), message('A', 1, idOf(1))]);
    await come(2);
    await driver.publishEvents([message('A', 2, idOf(2)), message('A', 3, idOf(3)), message('A', 1, idOf(1))]);
    await come(5);
    await driver.publishEvents([message('A', 1, idOf(1))]);
    await come(6);
    expect(await liveModel(core.pool)).toMatchObject([{ sku: 'A', version: 3, name: 'A in version 3' }]);
    await until(
      'the audit',
      () => auditOf(core.pool),
      (rows) => rows.length === 3,
    );
    expect((await auditOf(core.pool)).map(({ version }) => version)).toEqual([1, 2, 3]);
    expect((await core.pool.query('SELECT FROM dead_letter')).rowCount).toBe(0);
  });

  it('gets no event of a change that was refused because of its version', async () => {
    expect(await change('A', 'one', 7)).toBeUndefined();
    expect(await change('A', 'one', 0)).toMatchObject({ version: 1 });
    expect(await change('A', 'again', 0)).toBeUndefined();
    expect(await change('A', 'two', 1)).toMatchObject({ version: 2 });
    expect(await change('A', 'two again', 1)).toBeUndefined();
    // Of many requests with the same version, one succeeds.
    const all = await Promise.all(Array.from({ length: 20 }, (_, n) => change('A', `three, says ${n}`, 2)));
    expect(all.filter((changed) => changed?.version === 3)).toHaveLength(1);
    await allHandled();
    expect((await auditOf(core.pool)).map(({ version }) => version)).toEqual([1, 2, 3]);
    expect(await liveModel(core.pool)).toEqual(await productTable(core.pool));
  });

  it('dead-letters an event without a tenant', async () => {
    const deadLettered = core.next('dead_lettered');
    await core.broker.publishRawEvent(productChanged.kind, {
      specversion: '1.0',
      id: '1',
      source: 'https://shop.example.com',
      type: 'product.changed.v1',
      data: message('A', 1, idOf(1)).data,
    });
    expect((await deadLettered)[2]).toContain('Expected the attribute "tenant"');
    expect(await liveModel(core.pool)).toEqual([]);
  });

  it('is rebuilt from the table, without the rows of the old model', async () => {
    for (const sku of ['A', 'B', 'C']) await change(sku, sku.repeat(3));
    await change('X', 'of another', undefined, 'rival');
    await allHandled();
    await core.pool.query(`UPDATE product_search SET name = 'damaged' WHERE sku = 'A'`);
    await core.pool.query(`DELETE FROM product_search WHERE sku = 'B'`);
    expect(await runToEnd()).toEqual({ read: 3, written: 3, skipped: 0 });
    expect(await liveModel(core.pool)).toEqual(await productTable(core.pool));
    expect((await core.pool.query('SELECT FROM product_search')).rowCount).toBe(4);
    expect((await core.pool.query('SELECT FROM product_generation')).rowCount).toBe(0);
  });

  it('misses no change during a rebuild, even with a slow transaction', async () => {
    const { pool, prisma } = core;
    for (const sku of ['A', 'B', 'C']) await change(sku, 'first');
    await allHandled();
    await core.worker.drain(); // From here on the test is the subscriber.
    const handle = (changed: ProductRecord | undefined) =>
      prisma.$transaction((tx) => writeToSearchModel(tx, [{ ...changed!, tenant }]));

    // A transaction that began before the rebuild handles A. It ends after the rebuild.
    const [written, over] = [gate(), gate()];
    const changed = (await change('A', 'second'))!;
    const slow = prisma.$transaction(
      async (tx) => {
        await writeToSearchModel(tx, [{ ...changed, tenant }]);
        written.open();
        await over.passed;
      },
      { timeout: 20_000 },
    );
    await written.passed;
    const generation = await openGeneration(pool, tenant, 'job 1');
    // The change of C is handled before the copy reads C. The change of B is handled after the copy has read B.
    await handle(await change('C', 'second'));
    expect(await copyPage(pool, generation, '', 2)).toEqual({ read: 2, written: 2, last: 'B' });
    await handle(await change('B', 'second'));
    expect(await copyPage(pool, generation, 'B', 2)).toEqual({ read: 1, written: 0, last: 'C' });
    expect(await copyPage(pool, generation, 'C', 2)).toEqual({ read: 0, written: 0, last: undefined });
    await prisma.$transaction((tx) => makeLive(tx, generation));
    await dropClosedRows(prisma, tenant, 1_000);
    over.open();
    await slow;
    expect((await productTable(pool)).map(({ version }) => version)).toEqual([2, 2, 2]);
    expect(await liveModel(pool)).toEqual(await productTable(pool));
    // The rows that the slow transaction wrote to the old generation are not visible, and are deleted.
    expect(await dropClosedRows(prisma, tenant, 1_000)).toBe(1);
  });

  it('does not make an abandoned generation live', async () => {
    const { pool, prisma } = core;
    await change('A', 'first');
    await allHandled();
    const first = await openGeneration(pool, tenant, 'job 1');
    await copyPage(pool, first, '', 10);
    const second = await openGeneration(pool, tenant, 'job 2');
    await expect(prisma.$transaction((tx) => makeLive(tx, first))).rejects.toThrow('was given up');
    await copyPage(pool, second, '', 10);
    await prisma.$transaction((tx) => makeLive(tx, second));
    expect(await dropClosedRows(prisma, tenant, 10)).toBe(2);
    expect(await liveModel(pool)).toEqual(await productTable(pool));
  });

  it('has no generation left after a rebuild was cancelled', async () => {
    await core.pool.query(
      `INSERT INTO product (tenant, sku, name, description, price_cents)
       SELECT $1, 'P' || n, 'Product ' || n, '', n FROM generate_series(1, 40000) AS n`,
      [tenant],
    );
    const id = await core.enqueue(syncRun, { source: 'products' });
    await until(
      'the rebuild has begun',
      () => core.read(id),
      ({ progress }) => progress.percent > 0,
    );
    const ended = core.next('settled', (job) => job.id === id);
    await core.pool.query('UPDATE job SET cancel_requested = true WHERE id = $1', [id]);
    await ended;
    expect((await core.read(id)).state).toBe('cancelled');
    expect((await core.pool.query('SELECT FROM product_generation')).rowCount).toBe(0);
    expect(await liveModel(core.pool)).toEqual([]);
    // The next run finds and deletes the rows that the cancelled run has left.
    await core.pool.query('DELETE FROM product WHERE price_cents > 10');
    expect(await runToEnd()).toEqual({ read: 10, written: 10, skipped: 0 });
    expect((await core.pool.query('SELECT FROM product_search')).rowCount).toBe(10);
  });
});
