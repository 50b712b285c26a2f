import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Workbook } from 'exceljs';
import { Client } from 'pg';
import { seedOrders } from '../../scripts/seed/orders';
import { TestSystem } from '../support/system';
import { readPdf } from '../support/read-pdf';
import { until } from '../support/until';

const orders = 20_000;
const keys = { shop: 'shop-key-0123456789', other: 'other-key-0123456789' };
const as = (key: keyof typeof keys) => ({ authorization: `Bearer ${keys[key]}` });

describe('reports', () => {
  let system: TestSystem;
  let storage: string;

  beforeAll(async () => {
    storage = mkdtempSync(join(tmpdir(), 'reports-'));
    system = await TestSystem.start({
      apps: ['api', 'relay', 'report-worker'],
      environment: {
        STORAGE_DIR: storage,
        API_KEYS: `${keys.shop}:shop:user,${keys.other}:other:user`,
        SIGNING_SECRET: 'a secret of at least 32 characters',
      },
    });
    await seedOrders(system.pool, orders, 'shop');
  });

  afterAll(async () => {
    await system.stop();
    rmSync(storage, { recursive: true, force: true });
  });

  const read = async (id: string) => (await system.request(`/v1/jobs/${id}`, { headers: as('shop') })).body;

  const ask = async (report: object) => {
    const { status, body } = await system.post('/v1/reports', { type: 'orders', ...report }, as('shop'));
    expect(status).toBe(202);
    return body.id as string;
  };

  const finished = (id: string) =>
    until(
      `report ${id} is final`,
      () => read(id),
      ({ state }) => ['completed', 'failed', 'cancelled'].includes(state),
      60_000,
    );

  const make = async (report: object) => {
    const job = await finished(await ask(report));
    expect(job).toMatchObject({ state: 'completed', error: null });
    return job;
  };

  const download = async (url: string, headers: Record<string, string> = {}) => {
    const response = await fetch(system.url() + url, { headers });
    return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
  };

  const bytesOf = async ({ result }: { result: { file: { url: string; bytes: number } } }) => {
    const { status, bytes } = await download(result.file.url);
    expect(status).toBe(200);
    expect(bytes).toHaveLength(result.file.bytes);
    return bytes;
  };

  /** Files of this job in the store, finished or not. */
  const filesOf = (id: string) =>
    existsSync(join(storage, 'reports', id)) ? readdirSync(join(storage, 'reports', id)) : [];
  const unfinished = () => readdirSync(join(storage, '.unfinished'));

  it('in CSV can be loaded by PostgreSQL and have the same orders, with formulas made harmless', async () => {
    const job = await make({ format: 'csv' });
    expect(job.result).toEqual({
      file: { id: expect.any(String), url: expect.any(String), bytes: expect.any(Number), contentType: 'text/csv' },
      rows: orders,
    });
    const csv = (await bytesOf(job)).toString().replace('\uFEFF', '');
    const loaded = await loadCsv(system.databaseUrl, csv);
    expect(loaded).toEqual({ rows: orders, different: 0, formulas: 0 });
    expect(csv).toContain(`"'=HYPERLINK(""http://evil.example"",""open me"")"`);
    expect(csv).toContain("'+49 151 12345678 anrufen");
    expect(csv).toContain('深圳市海风贸易有限公司');
  });

  it('in XLSX have every order of the period, and formulas as text', async () => {
    const job = await make({ format: 'xlsx', from: '2025-03-01', to: '2025-04-01' });
    const workbook = new Workbook();
    await workbook.xlsx.load((await bytesOf(job)) as never);
    const sheet = workbook.worksheets[0]!;
    const { rows } = await system.pool.query<{ count: number; cents: number }>(
      `SELECT count(*)::int AS count, sum(total_cents)::float8 AS cents FROM customer_order
        WHERE placed_at >= '2025-03-01Z' AND placed_at < '2025-04-01Z'`,
    );
    expect(job.result.rows).toBe(rows[0]!.count);
    expect(sheet.rowCount).toBe(rows[0]!.count + 1);
    let cents = 0;
    const notes = new Set<unknown>();
    sheet.eachRow((row, number) => {
      if (number === 1) return;
      cents += Math.round((row.getCell(8).value as number) * 100);
      notes.add(row.getCell(10).value);
      expect(row.getCell(2).value).toBeInstanceOf(Date);
    });
    expect(cents).toBe(rows[0]!.cents);
    expect(notes).toContain('=HYPERLINK("http://evil.example","open me")');
  });

  it('in PDF join the sections of child jobs into one document that a reader opens, with Chinese text', async () => {
    const id = await ask({ format: 'pdf', from: '2025-01-01', to: '2025-04-01' });
    const job = await finished(id);
    expect(job).toMatchObject({ state: 'completed', result: { file: { contentType: 'application/pdf' } } });
    const { rows } = await system.pool.query<{ kind: string; state: string }>(
      'SELECT kind, state::text FROM job WHERE parent_id = $1',
      [id],
    );
    expect(rows).toEqual(Array(3).fill({ kind: 'report.section', state: 'completed' }));
    const bytes = await bytesOf(job);
    expect(bytes.length).toBeLessThan(300_000); // The font is reduced to the used characters.
    const pages = await readPdf(bytes);
    expect(pages.length).toBeGreaterThan(3);
    pages.forEach((text, index) => expect(text).toContain(`Page ${index + 1} of ${pages.length}`));
    expect(pages[0]).toContain('Orders from 2025-01-01 to 2025-03-31');
    expect(pages[0]).toContain(`${job.result.rows.toLocaleString('en')} orders`);
    // The totals cover all sections, also for a product that is not in the top ten of each section.
    const best = await system.pool.query<{ product: string; cents: string }>(
      `SELECT product, sum(total_cents) AS cents FROM customer_order
        WHERE placed_at >= '2025-01-01T00:00Z' AND placed_at < '2025-04-01T00:00Z'
        GROUP BY product ORDER BY cents DESC LIMIT 10`,
    );
    for (const { product, cents } of best.rows) {
      const total = (Number(cents) / 100).toLocaleString('en', { minimumFractionDigits: 2 });
      expect(pages[0]!.replaceAll(/\s+/g, ' ')).toMatch(new RegExp(`${product}\\s+[\\d,]+\\s+${total} €`));
    }
    const all = pages.join('\n');
    for (const text of ['2025-01', '2025-02', '2025-03', '钢笔', '深圳市海风贸易有限公司', 'Jürgen Weiß']) {
      expect(all).toContain(text);
    }
  });

  it('have a link that is valid as a whole and in ranges, and refused after any change', async () => {
    const { result, id } = await make({ format: 'csv', from: '2025-01-01', to: '2025-01-03' });
    const { url } = result.file;
    const whole = await download(url);
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      'content-type': 'text/csv; charset=utf-8',
      'content-length': String(result.file.bytes),
      'content-disposition': 'attachment; filename="orders-from-2025-01-01-to-2025-01-03.csv"',
      'x-content-type-options': 'nosniff',
    });
    const part = await download(url, { range: 'bytes=3-8' });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 3-8/${result.file.bytes}`]);
    expect(part.bytes).toEqual(whole.bytes.subarray(3, 9));
    expect((await download(url, { range: `bytes=${result.file.bytes}-` })).status).toBe(416);

    const tampered = await system.get(url.replace(/.$/, (last: string) => (last === 'A' ? 'B' : 'A')));
    expect([tampered.status, tampered.body.code]).toEqual([403, 'link_invalid']);
    const longer = await system.get(
      url.replace(/expires=(\d+)/, (_: string, at: string) => `expires=${Number(at) + 60}`),
    );
    expect([longer.status, longer.body.code]).toEqual([403, 'link_invalid']);
    expect((await system.get(url.replace(/\?.*/, ''))).status).toBe(403);

    const others = await system.request(`/v1/jobs/${id}`, { headers: as('other') });
    expect([others.status, others.body.code]).toEqual([404, 'job_not_found']);
  });

  it('stop within two seconds and leave no file when they are cancelled', async () => {
    await system.pool.query(slowly);
    const id = await ask({ format: 'csv' });
    await until(
      'it is being written',
      () => read(id),
      ({ state, progress }) => state === 'active' && progress.percent > 0,
    );
    expect(unfinished()).toHaveLength(1);
    const at = performance.now();
    expect((await system.post(`/v1/jobs/${id}/cancel`, {}, as('shop'))).status).toBe(202);
    expect(await finished(id)).toMatchObject({ state: 'cancelled', result: null });
    expect(performance.now() - at).toBeLessThan(2_000);
    expect([filesOf(id), unfinished()]).toEqual([[], []]);
    await system.pool.query(atOnce);
  });

  it.each(['csv', 'xlsx'])('in %s are made again with the same bytes after a worker was killed', async (format) => {
    const undisturbed = await make({ format, to: '2026-06-01' });
    await system.pool.query(slowly);
    const id = await ask({ format, to: '2026-06-01' });
    await until(
      'it is being written',
      () => read(id),
      ({ state, progress }) => state === 'active' && progress.percent > 0,
    );
    await system.end('report-worker', 'SIGKILL');
    await system.pool.query(atOnce);
    expect(filesOf(id)).toEqual([]);
    await system.launch('report-worker');
    const job = await finished(id);
    expect(job).toMatchObject({ state: 'completed', error: null });
    expect(job.attempt).toBeGreaterThan(1);
    expect((await bytesOf(job)).equals(await bytesOf(undisturbed))).toBe(true);
  });

  it('in PDF are one file with the same bytes after a worker was killed at its commit', async () => {
    const report = { format: 'pdf', from: '2025-01-01', to: '2025-02-01' };
    const undisturbed = await make(report);
    await system.end('report-worker', 'SIGKILL');
    const { child } = await system.launchDoomed('report-worker', 'report-worker', { FAIL_POINT: 'handled:1' });
    const id = await ask(report);
    await once(child, 'exit');
    await system.launch('report-worker');
    const job = await finished(id);
    expect((await bytesOf(job)).equals(await bytesOf(undisturbed))).toBe(true);
    expect(filesOf(id)).toHaveLength(1);
  });

  it.each([
    ['an unknown format', { format: 'doc' }, 'format'],
    ['an unknown type', { type: 'customers', format: 'csv' }, 'type'],
    ['inverted dates', { format: 'csv', from: '2025-02-01', to: '2025-01-01' }, 'to'],
    ['a text that is not a date', { format: 'csv', from: 'yesterday' }, 'from'],
    ['a date that does not exist', { format: 'csv', from: '2025-02-30' }, 'from'],
  ])('are refused with the name of the field for %s', async (_, report, path) => {
    const { status, body } = await system.post('/v1/reports', { type: 'orders', ...report }, as('shop'));
    expect([status, body.code]).toEqual([400, 'invalid_body']);
    expect(body.errors).toEqual([expect.objectContaining({ path, message: expect.any(String) })]);
  });
});

/** Each row takes some time, as on a slow disk. */
const slowly = `
  ALTER TABLE customer_order RENAME TO customer_order_rows;
  CREATE VIEW customer_order AS SELECT * FROM customer_order_rows
   WHERE number % 500 <> 0 OR pg_sleep(0.05 + number * 0) IS NOT NULL`;

const atOnce = 'DROP VIEW customer_order; ALTER TABLE customer_order_rows RENAME TO customer_order';

/** @returns the number of rows that PostgreSQL read, of rows that differ from the orders, and of cells with formulas */
async function loadCsv(databaseUrl: string, csv: string) {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('CREATE TEMP TABLE loaded (LIKE customer_order)');
    await client.query('ALTER TABLE loaded DROP COLUMN tenant');
    await client.query(`ALTER TABLE loaded ALTER total_cents TYPE numeric, ALTER unit_price_cents TYPE numeric,
                        ALTER customer DROP NOT NULL`);
    await copyIn(client, 'COPY loaded FROM STDIN (FORMAT csv, HEADER)', csv);
    const { rows } = await client.query(
      `SELECT count(*)::int AS rows,
              count(*) FILTER (WHERE o.number IS NULL OR o.total_cents <> loaded.total_cents * 100
                OR o.unit_price_cents <> loaded.unit_price_cents * 100 OR o.customer <> loaded.customer
                OR date_trunc('milliseconds', o.placed_at) <> loaded.placed_at OR o.quantity <> loaded.quantity
                OR coalesce(o.note, '') <> regexp_replace(coalesce(loaded.note, ''), '^''([=+@-])', '\\1'))::int AS different,
              count(*) FILTER (WHERE loaded.note ~ '^[=+@-]')::int AS formulas
         FROM loaded LEFT JOIN customer_order o USING (number)`,
    );
    return rows[0];
  } finally {
    await client.end();
  }
}

/** pg implements the protocol messages of COPY but offers no method that uses them. */
async function copyIn(client: Client, text: string, data: string): Promise<void> {
  const { connection } = client as unknown as {
    connection: { query(text: string): void; sendCopyFromChunk(chunk: Buffer): void; endCopyFrom(): void };
  };
  const done = new Promise<void>((resolve, reject) => {
    const copy = {
      submit: () => connection.query(text),
      handleCopyInResponse: () => {
        connection.sendCopyFromChunk(Buffer.from(data));
        connection.endCopyFrom();
      },
      handleCommandComplete: () => undefined,
      handleReadyForQuery: () => resolve(),
      handleError: reject,
    };
    client.query(copy as never);
  });
  await done;
}
