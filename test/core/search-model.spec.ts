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

const hears = [
  { subscription: search, handler: new SearchHandler() },
  { subscription: audit, handler: new AuditHandler() },
] as never;

describe('the search model', () => {
  let core: Core;

  beforeEach(async () => {
    core = await startCore(
      [[syncRun, (job, context) => new SyncRunHandler(core.pool, core.prisma).handle(job, context)]],
      { events: hears, leaseMs: 15_000 },
    );
  });

  afterEach(() => core.close());

  async function change(sku: string, name: string, expectedVersion?: number, of = tenant) {
    const fields = { sku, name, description: `about ${name}`, priceCents: name.length };
    const changed = await changeProduct(core.pool, {
      tenant: of,
      ...fields,
      expectedVersion,
      changedBy: 'a test',
      traceparent: undefined,
    });
    core.wakeUp.request('events');
    return changed;
  }

  /** An event as the relay would publish it, or as a copy of it comes. */
  const message = (sku: string, version: number, id: string) => ({
    id,
    kind: productChanged.kind,
    version: 1,
    tenant,
    key: sku,
    at: new Date(),
    traceparent: undefined,
    data: {
      sku,
      name: `${sku} in version ${version}`,
      description: 'as told',
      priceCents: version,
      version,
      updatedAt: '2026-11-24T10:00:00.000Z',
      changedBy: 'a test',
    },
  });

  const idOf = (n: number) => `019e0000-0000-7000-8000-${String(n).padStart(12, '0')}`;

  const find = async (question: string, of = tenant) =>
    (await searchProducts(core.pool, of, { question, after: undefined, limit: 10 })).map(({ sku }) => sku);

  const allTold = () =>
    until(
      'every change is told and heard by both',
      async () => {
        const { rows } = await core.pool.query<{ left: number; heard: number; told: number }>(
          `SELECT (SELECT count(*)::int FROM event_outbox) AS left,
                  (SELECT count(*)::int FROM processed_message WHERE consumer IN ('search', 'audit')) AS heard,
                  (SELECT coalesce(sum(version), 0)::int FROM product) AS told`,
        );
        return rows[0]!;
      },
      ({ left, heard, told }) => left === 0 && heard === 2 * told,
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

  it('finds by the beginning of a word, by another form of it, by the parts of a SKU, and nothing of others', async () => {
    await change('MUG-0042', "Blue mugs for O'Neill");
    await change('KET-1', 'Kettle');
    await change('MUG-0042', 'Secret mug', undefined, 'rival');
    await allTold();
    expect(await find('blu')).toEqual(['MUG-0042']);
    expect(await find('mug')).toEqual(['MUG-0042']);
    expect(await find('MUG-0042')).toEqual(['MUG-0042']);
    expect(await find('0042')).toEqual(['MUG-0042']);
    expect(await find("o'nei")).toEqual(['MUG-0042']);
    expect(await find('ABOUT ket')).toEqual(['KET-1']);
    expect(await find('blue kettle')).toEqual([]);
    expect(await find('secret')).toEqual([]);
    expect(await find('secret', 'rival')).toEqual(['MUG-0042']);
    // Of what people type, none is an operator or a fault.
    for (const junk of ['', '&', "'", '\\', 'zz:*b', '!(', "''", "\\'", '<->', '日本', 'https://a.example/b?c=d']) {
      expect(await find(junk)).toEqual([]);
    }
  });

  it('shows the best first, page by page, each once', async () => {
    await change('A', 'Teapot');
    await change('B', 'Cup');
    await changeProduct(core.pool, {
      tenant,
      sku: 'C',
      name: 'Tray',
      description: 'for a teapot',
      priceCents: 1,
      expectedVersion: undefined,
      changedBy: 'a test',
      traceparent: undefined,
    });
    await change('D', 'Teapot, large');
    await allTold();
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

  it('an older version never wins, and a copy changes nothing', async () => {
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
    // Of those that come together the newest is written; what comes later meets it.
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

  it('a change with a version that is not the current one is refused, and not told', async () => {
    expect(await change('A', 'one', 7)).toBeUndefined();
    expect(await change('A', 'one', 0)).toMatchObject({ version: 1 });
    expect(await change('A', 'again', 0)).toBeUndefined();
    expect(await change('A', 'two', 1)).toMatchObject({ version: 2 });
    expect(await change('A', 'two again', 1)).toBeUndefined();
    // Of many who have seen the same version, one is right.
    const all = await Promise.all(Array.from({ length: 20 }, (_, n) => change('A', `three, says ${n}`, 2)));
    expect(all.filter((changed) => changed?.version === 3)).toHaveLength(1);
    await allTold();
    expect((await auditOf(core.pool)).map(({ version }) => version)).toEqual([1, 2, 3]);
    expect(await liveModel(core.pool)).toEqual(await productTable(core.pool));
  });

  it('an event that says of no tenant is set aside', async () => {
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

  it('is built anew from the table, and what was there before is gone', async () => {
    for (const sku of ['A', 'B', 'C']) await change(sku, sku.repeat(3));
    await change('X', 'of another', undefined, 'rival');
    await allTold();
    await core.pool.query(`UPDATE product_search SET name = 'damaged' WHERE sku = 'A'`);
    await core.pool.query(`DELETE FROM product_search WHERE sku = 'B'`);
    expect(await runToEnd()).toEqual({ read: 3, written: 3, skipped: 0 });
    expect(await liveModel(core.pool)).toEqual(await productTable(core.pool));
    expect((await core.pool.query('SELECT FROM product_search')).rowCount).toBe(4);
    expect((await core.pool.query('SELECT FROM product_generation')).rowCount).toBe(0);
  });

  it('misses no change that comes while it is built, whoever is slow', async () => {
    const { pool, prisma } = core;
    for (const sku of ['A', 'B', 'C']) await change(sku, 'first');
    await allTold();
    await core.worker.drain(); // From here on the test is the subscriber.
    const hear = (changed: ProductRecord | undefined) =>
      prisma.$transaction((tx) => writeToSearchModel(tx, [{ ...changed!, tenant }]));

    // A is handled by a transaction of the time before, which ends when all is over.
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
    // C is handled before it is read, B after that.
    await hear(await change('C', 'second'));
    expect(await copyPage(pool, generation, '', 2)).toEqual({ read: 2, written: 2, last: 'B' });
    await hear(await change('B', 'second'));
    expect(await copyPage(pool, generation, 'B', 2)).toEqual({ read: 1, written: 0, last: 'C' });
    expect(await copyPage(pool, generation, 'C', 2)).toEqual({ read: 0, written: 0, last: undefined });
    await prisma.$transaction((tx) => makeLive(tx, generation));
    await dropClosedRows(prisma, tenant, 1_000);
    over.open();
    await slow;
    expect((await productTable(pool)).map(({ version }) => version)).toEqual([2, 2, 2]);
    expect(await liveModel(pool)).toEqual(await productTable(pool));
    // What it wrote to the generation of before is in nobody's way, and goes.
    expect(await dropClosedRows(prisma, tenant, 1_000)).toBe(1);
  });

  it('one that was given up is not made live by whoever was slow', async () => {
    const { pool, prisma } = core;
    await change('A', 'first');
    await allTold();
    const first = await openGeneration(pool, tenant, 'job 1');
    await copyPage(pool, first, '', 10);
    const second = await openGeneration(pool, tenant, 'job 2');
    await expect(prisma.$transaction((tx) => makeLive(tx, first))).rejects.toThrow('was given up');
    await copyPage(pool, second, '', 10);
    await prisma.$transaction((tx) => makeLive(tx, second));
    expect(await dropClosedRows(prisma, tenant, 10)).toBe(2);
    expect(await liveModel(pool)).toEqual(await productTable(pool));
  });

  it('a run that was cancelled leaves nothing that others go on writing to', async () => {
    await core.pool.query(
      `INSERT INTO product (tenant, sku, name, description, price_cents)
       SELECT $1, 'P' || n, 'Product ' || n, '', n FROM generate_series(1, 40000) AS n`,
      [tenant],
    );
    const id = await core.enqueue(syncRun, { source: 'products' });
    await until(
      'it is on its way',
      () => core.read(id),
      ({ progress }) => progress.percent > 0,
    );
    const ended = core.next('settled', (job) => job.id === id);
    await core.pool.query('UPDATE job SET cancel_requested = true WHERE id = $1', [id]);
    await ended;
    expect((await core.read(id)).state).toBe('cancelled');
    expect((await core.pool.query('SELECT FROM product_generation')).rowCount).toBe(0);
    expect(await liveModel(core.pool)).toEqual([]);
    // The next run finds what this one has left, and removes it.
    await core.pool.query('DELETE FROM product WHERE price_cents > 10');
    expect(await runToEnd()).toEqual({ read: 10, written: 10, skipped: 0 });
    expect((await core.pool.query('SELECT FROM product_search')).rowCount).toBe(10);
  });
});
