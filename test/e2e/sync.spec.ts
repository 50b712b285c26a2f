import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { bearer, apiKeys, keys } from '../support/keys';
import { projectFolder } from '../support/postgres';
import { auditOf, bytesOf, liveModel, productTable } from '../support/products';
import { TestSystem, type Answer, type Backend } from '../support/system';
import { until } from '../support/until';

const products = 100;
const changesEach = 20;

/** By broker: the rows of the search model and of the audit, after the same changes. */
const rowsOn = new Map<Backend, object>();

const withKafka = process.env['TEST_KAFKA_BROKERS'] ? describe : describe.skip;

describe('sync and search on bullmq-postgres', () => {
  suite('bullmq-postgres');
});

withKafka('sync and search on kafka', () => {
  const system = suite('kafka');

  it('has the same rows as with BullMQ after the same changes', () => {
    expect(rowsOn.get('kafka')).toBeDefined();
    expect(rowsOn.get('kafka')).toEqual(rowsOn.get('bullmq-postgres'));
  });

  it('builds the same model, byte for byte, in a replay from the beginning, and adopts it', async () => {
    await system().launch('sync-worker', 'replay', { SYNC_REPLAY: 'search@2' });
    const { pool } = system();
    const { rows } = await pool.query<{ id: string }>(
      `SELECT id FROM product_generation WHERE built_by = 'search@2' AND tenant IS NULL`,
    );
    const { id } = rows[0]!;
    const changes = await changesOf(pool);
    await until(
      'it has handled every event',
      async () => (await pool.query(`SELECT FROM processed_message WHERE consumer = 'search@2'`)).rowCount,
      (handled) => handled === changes,
    );
    const live = await pool.query<{ live: string }>('SELECT live FROM product_model WHERE tenant = $1', ['shop']);
    const bytes = await bytesOf(pool, live.rows[0]!.live);
    expect(bytes).toHaveLength(products + 1);
    expect((await bytesOf(pool, id)).filter((row) => row.startsWith('(shop,'))).toEqual(bytes);

    expect(await replay('search@2', '--adopt')).toEqual([
      0,
      expect.stringContaining('shop: 101 products, 0 behind, adopted'),
    ]);
    expect(await system().end('replay', 'SIGTERM')).toBe(0);
    expect(await liveModel(pool)).toEqual(await productTable(pool));
    // Later changes are written to the adopted model.
    await put(system(), 'p-001', { name: 'After the replay', description: '', priceCents: 1 });
    await until(
      'search finds it',
      () => find(system(), 'replay'),
      (skus) => skus.includes('p-001'),
    );
    expect((await bytesOf(pool, id)).some((row) => row.includes('After the replay'))).toBe(true);
  });

  /** @returns the exit code and the output */
  async function replay(...args: string[]): Promise<[number, string]> {
    const child = fork(join(projectFolder, 'dist/scripts/replay/main.js'), args, {
      env: { ...process.env, DATABASE_URL: system().databaseUrl },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    let said = '';
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (said += text));
    const [code] = (await once(child, 'close')) as [number];
    return [code, said];
  }
});

/** The changes of the first test, in both tenants. */
const extraChanges = 4;

function put(system: TestSystem, sku: string, body: unknown, key: string = keys.user): Promise<Answer> {
  return system.request(`/v1/products/${sku}`, { method: 'PUT', body: JSON.stringify(body), headers: bearer(key) });
}

/** Repeats a change until it is accepted, as a caller has to: after a 503 the change may have been made or not. */
async function putUntilTaken(system: TestSystem, sku: string, body: { version: number }): Promise<void> {
  let mayBeMade = false;
  for (;;) {
    const { status, body: answer } = await put(system, sku, body);
    const isMade = status === 409 && mayBeMade && answer.detail.includes(`has version ${body.version + 1} by now`);
    if (status === 200 || isMade) return;
    expect(status).toBe(503);
    mayBeMade = true;
  }
}

async function find(system: TestSystem, question: string, key: string = keys.user): Promise<string[]> {
  const path = `/v1/products?limit=100&q=${encodeURIComponent(question)}`;
  const { body } = await system.request(path, { headers: bearer(key) });
  return body.items.map(({ sku }: { sku: string }) => sku);
}

async function changesOf(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ changes: number }>('SELECT sum(version)::int AS changes FROM product');
  return rows[0]!.changes;
}

/** The tests for each broker. */
function suite(backend: Backend): () => TestSystem {
  let system: TestSystem;

  beforeAll(async () => {
    system = await TestSystem.start({
      backend,
      apps: ['api', 'relay', 'sync-worker'],
      environment: { API_KEYS: apiKeys.join(), SIGNING_SECRET: 'x'.repeat(32) },
    });
  });

  afterAll(() => system.stop());

  const handledBy = (consumer: string) =>
    system.pool
      .query<{ count: number }>('SELECT count(*)::int AS count FROM processed_message WHERE consumer = $1', [consumer])
      .then(({ rows }) => rows[0]!.count);

  it('finds a changed product in its own tenant only, and refuses an outdated version', async () => {
    const mug = { name: 'Blue mug', description: 'Holds 300 ml.', priceCents: 1290 };
    const first = await put(system, 'mug-01', mug);
    expect([first.status, first.body]).toEqual([
      200,
      { ...mug, sku: 'mug-01', version: 1, updatedAt: expect.any(String) },
    ]);
    await until(
      'it is found',
      () => find(system, 'blu'),
      (skus) => skus.length === 1,
    );
    const second = await put(system, 'mug-01', { ...mug, name: 'Red mug', version: 1 });
    expect([second.status, second.body.version]).toEqual([200, 2]);
    await until(
      'it is found as it is now',
      () => find(system, 'red'),
      (skus) => skus.length === 1,
    );
    expect(await find(system, 'blue')).toEqual([]);

    const stale = await put(system, 'mug-01', { ...mug, version: 1 });
    expect([stale.status, stale.body.code]).toEqual([409, 'version_conflict']);
    expect(stale.body.detail).toContain('it has version 2 by now');
    expect((await put(system, 'mug-02', { ...mug, version: 3 })).body.detail).toContain('there is no such product');

    // The product of the rival with the same SKU is another product.
    expect((await put(system, 'mug-01', { ...mug, name: 'Rival mug' }, keys.rival)).body.version).toBe(1);
    await until(
      'the other tenant finds its own product',
      () => find(system, 'mug', keys.rival),
      (skus) => skus.length === 1,
    );
    expect(await find(system, 'rival')).toEqual([]);
    expect(await find(system, 'red', keys.rival)).toEqual([]);

    expect((await put(system, '-x', mug)).body).toMatchObject({
      status: 400,
      code: 'invalid_sku',
      errors: [{ path: 'sku' }],
    });
    expect((await put(system, 'x', { ...mug, priceCents: -1, colour: 'red' })).body).toMatchObject({
      code: 'invalid_body',
      errors: [{ path: 'priceCents' }, { path: 'colour' }],
    });
    expect((await system.request('/v1/products?cursor=x', { headers: bearer(keys.user) })).body).toMatchObject({
      code: 'invalid_query',
      errors: [{ path: 'cursor' }],
    });
    const run = { source: 'orders' };
    expect((await system.post('/v1/sync-runs', run, bearer(keys.user))).body.code).toBe('invalid_body');
    expect((await put(system, 'mug-01', { ...mug, name: 'Last' }, keys.rival)).status).toBe(200);
  });

  it('loses and doubles no change when a worker is killed during 2,000 changes', async () => {
    const before = await handledBy('search');
    const load = { running: true };
    // The worker is killed three times at any moment. The next worker handles its messages in flight.
    const kills = (async () => {
      for (let kill = 1; kill <= 3; kill += 1) {
        await until(
          `some more are handled before kill ${kill}`,
          () => handledBy('search'),
          (count) => count >= before + kill * 300 || !load.running,
          150_000,
        );
        await system.end('sync-worker', 'SIGKILL');
        await system.launch('sync-worker');
      }
    })();
    for (let change = 1; change <= changesEach; change += 1) {
      await Promise.all(
        Array.from({ length: products }, async (_, n) => {
          const sku = `p-${String(n).padStart(3, '0')}`;
          const body = {
            name: `Product ${n} as of ${change}`,
            description: `Number ${n * change}`,
            priceCents: n + change,
          };
          await putUntilTaken(system, sku, { ...body, version: change - 1 });
        }),
      );
    }
    load.running = false;
    await kills;
    for (const consumer of ['search', 'audit']) {
      await until(
        `${consumer} has handled all`,
        () => handledBy(consumer),
        (count) => count === products * changesEach + extraChanges,
        // Excludes only waiting for ever: beside other tests on a slow machine it takes more than a minute.
        240_000,
      );
    }
    expect(await liveModel(system.pool)).toEqual(await productTable(system.pool));
    const audit = await auditOf(system.pool);
    expect(audit).toHaveLength(products * changesEach + extraChanges);
    expect(new Set(audit.map(({ tenant, sku, version }) => `${tenant} ${sku} ${version}`)).size).toBe(audit.length);
    const model = (await liveModel(system.pool)).map((row) => ({ ...row, updatedAt: undefined }));
    rowsOn.set(backend, { model, audit });
  }, 700_000);

  it('rebuilds the model during changes: readers see no gap, and the model equals the table in the end', async () => {
    const load = { running: true };
    const counts = new Set<number>();
    const readers = (async () => {
      while (load.running) counts.add((await find(system, 'product')).length);
    })();
    const writers = [1, 2].map(async (writer) => {
      for (let n = 0; load.running; n = (n + 1) % products) {
        const sku = `p-${String(n).padStart(3, '0')}`;
        await put(system, sku, { name: `Product ${n} by writer ${writer}`, description: '', priceCents: n });
      }
    });
    const others = Promise.all([readers, ...writers]);
    try {
      for (let run = 1; run <= 3; run += 1) {
        const { status, body } = await system.post('/v1/sync-runs', { source: 'products' }, bearer(keys.user));
        expect(status).toBe(202);
        const ended = await until(
          'the run has ended',
          async () => (await system.request(`/v1/jobs/${body.id}`, { headers: bearer(keys.user) })).body,
          ({ state }) => state === 'completed' || state === 'failed',
          60_000,
        );
        expect(ended).toMatchObject({ state: 'completed', progress: { percent: 100 } });
        const { read, written, skipped } = ended.result;
        expect([read, Number(written) + Number(skipped)]).toEqual([products + 1, read]);
      }
    } finally {
      load.running = false;
      await others;
    }
    await until(
      'both have handled all',
      async () => [await handledBy('search'), await handledBy('audit'), await changesOf(system.pool)],
      ([search, audit, changes]) => search === changes && audit === changes,
      240_000,
    );
    expect([...counts]).toEqual([products]);
    expect(await liveModel(system.pool)).toEqual(await productTable(system.pool));
    expect((await system.pool.query('SELECT FROM product_generation')).rowCount).toBe(0);
  }, 600_000);

  return () => system;
}
