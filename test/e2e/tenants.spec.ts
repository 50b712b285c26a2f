import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { deliverWebhook } from '@app/features/webhook';
import { emailDigest } from '@app/features/email';
import { eventDefinitions, jobDefinitions } from '@app/features/catalogue';
import { makeReport, summariseSection } from '@app/features/report';
import { productChanged, syncRun } from '@app/features/product';
import { resizeImage } from '@app/features/image';
import { type JobDefinition, type PayloadOf } from '@app/contracts';
import { enqueue, readJob, recordEvent } from '@app/ledger';
import { createPrismaClient } from '@app/database';
import { seedOrders } from '../../scripts/seed/orders';
import { seedProducts } from '../../scripts/seed/products';
import { EventReader } from '../support/event-reader';
import { everyRow } from '../support/every-row';
import { apiKeys, bearer, keys } from '../support/keys';
import { projectFolder } from '../support/postgres';
import { readPdf } from '../support/read-pdf';
import { anEmail, TestSystem, type Answer } from '../support/system';
import { until } from '../support/until';

/** Two tenants on one system. `shop` has data of every sort; `rival` has a little and requests the data of `shop`. */
const shop = bearer(keys.user);
const rival = bearer(keys.rival);

/** Values in the data of the shop and in no data of the rival. */
const canaries = {
  email: 'canary-of-shop@example.com',
  text: 'canary text of shop',
  product: 'canary product of shop',
};
const counts = { shopOrders: 40, rivalOrders: 7, shopProducts: 12, rivalProducts: 5 };
const aSms = (text: string) => ({ to: '+4915112345678', text });
const aCsv = { type: 'orders', format: 'csv' };
const aProduct = (name: string) => ({ name, description: name, priceCents: 100 });

let system: TestSystem;
let storage: string;
/** The ids of the shop with which the rival makes its requests. */
let owned: {
  email: string;
  scheduled: string;
  report: string;
  image: string;
  fileLink: string;
  webhook: string;
  delivery: string;
  upload: string;
};

beforeAll(async () => {
  storage = mkdtempSync(join(tmpdir(), 'tenants-'));
  system = await TestSystem.start({
    apps: [
      'api',
      'relay',
      'email-worker',
      'sms-worker',
      'report-worker',
      'image-worker',
      'sync-worker',
      'webhook-worker',
    ],
    environment: {
      STORAGE_DIR: storage,
      API_KEYS: apiKeys.join(),
      SIGNING_SECRET: 'a secret of at least 32 characters',
      WEBHOOK_ALLOW_HOSTS: '127.0.0.1',
    },
  });
  await seedOrders(system.pool, counts.shopOrders, 'shop');
  await seedOrders(system.pool, counts.rivalOrders, 'rival');
  await system.pool.query(`UPDATE customer_order SET customer = 'Canary of shop' WHERE tenant = 'shop'`);
  await system.pool.query(`UPDATE customer_order SET customer = 'Customer of rival' WHERE tenant = 'rival'`);
  await seedProducts(system.pool, counts.shopProducts - 1, 'shop');
  await seedProducts(system.pool, counts.rivalProducts - 1, 'rival');
  await ask('PUT', '/v1/products/shared-sku', rival, aProduct('product of rival'));
  await ask('PUT', '/v1/products/shared-sku', shop, aProduct(canaries.product));

  const accepted = async (path: string, body: object) => (await ask('POST', path, shop, body)).body.id as string;
  const email = await accepted('/v1/emails', { to: canaries.email, subject: canaries.text, text: canaries.text });
  const sms = await accepted('/v1/sms', aSms(canaries.text));
  const scheduled = await accepted('/v1/emails', { ...anEmail(), options: { delayMs: 3_600_000 } });
  const report = await accepted('/v1/reports', { type: 'orders', format: 'csv' });
  const image = (await postImage(shop)).body.id as string;
  // Nothing listens there: the delivery is retried.
  const webhook = await accepted('/v1/webhooks', { url: 'http://127.0.0.1:9/', description: canaries.text });
  const delivery = await accepted(`/v1/webhooks/${webhook}/test`, {});
  for (const id of [email, sms, report, image]) await finished('shop', id);
  const upload = (await job('shop', image)).payload as PayloadOf<typeof resizeImage>;
  const { body } = await ask('GET', `/v1/jobs/${report}`, shop);
  const fileLink = body.result.file.url as string;
  owned = { email, scheduled, report, image, fileLink, webhook, delivery, upload: upload.upload };
});

afterAll(async () => {
  await system.stop();
  rmSync(storage, { recursive: true, force: true });
});

async function ask(method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<Answer> {
  return system.request(path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
}

async function postImage(headers: Record<string, string>): Promise<Answer> {
  const form = new FormData();
  const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  form.set('file', new Blob([png]), 'a.png');
  const response = await fetch(`${system.url()}/v1/images`, { method: 'POST', headers, body: form });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

async function job(
  tenant: string,
  id: string,
): Promise<{ id: string; state: string; result: any; error: any; payload: unknown }> {
  const [row] = (await system.pool.query('SELECT payload FROM job WHERE id = $1', [id])).rows;
  return { ...(await readJob(system.pool, tenant, id))!, payload: row?.payload };
}

const finished = (tenant: string, id: string) =>
  until(
    `job ${id} of ${tenant} is final`,
    () => job(tenant, id),
    ({ state }) => ['completed', 'failed', 'cancelled'].includes(state),
    60_000,
  );

/** The rows of the shop, which no request of the rival changes. */
async function everythingOfShop(): Promise<unknown> {
  const tables = { product: 'sku', webhook_endpoint: 'id', upload: 'key', file: 'id', customer_order: 'number' };
  const rows: Record<string, unknown> = {};
  for (const [table, order] of Object.entries(tables)) {
    rows[table] = (await system.pool.query(`SELECT * FROM ${table} WHERE tenant = 'shop' ORDER BY ${order}`)).rows;
  }
  rows['job'] = (
    await system.pool.query(
      `SELECT id, state, cancel_requested FROM job WHERE tenant = 'shop' AND kind <> 'webhook.deliver' ORDER BY id`,
    )
  ).rows;
  return rows;
}

interface Route {
  readonly status: number;
  /** What the shop does before. */
  readonly prepare?: () => Promise<void>;
  /** The answer to the rival, which requests something of the shop. */
  readonly visit: () => Promise<{ status: number; body?: unknown }>;
  /** The requested id of the shop, which a refusal repeats. */
  readonly asked?: () => string;
}

/** An error repeats the requested id; nothing else of the shop may be in an answer. */
function assertNothingOfShop(route: string, { body }: { body?: unknown }, asked: string): void {
  const text = JSON.stringify(body ?? '').replaceAll(asked, '');
  const { fileLink, ...ids } = owned;
  for (const secret of [...Object.values(canaries), 'Canary of shop', fileLink.split('?')[0]!, ...Object.values(ids)]) {
    expect([route, text.includes(secret)]).toEqual([route, false]);
  }
}

async function beginningOfStream(path: string, during: () => Promise<unknown>): Promise<{ status: number; body: any }> {
  const { status, reader, body } = await EventReader.open(system.url() + path, rival);
  if (!reader) return { status, body };
  await during();
  // A job of the rival comes after the change of the shop: an event of the shop would have arrived before it.
  const own = (await ask('POST', '/v1/sms', rival, aSms('of rival'))).body.id as string;
  await reader.sees('the own job', ({ data }) => data.id === own);
  reader.close();
  return { status, body: reader.events };
}

/** Every route of the OpenAPI document. A new route has to be added here, or this test fails. */
const routes: Record<string, Route> = {
  'POST /v1/emails': keyed((headers) => system.post('/v1/emails', anEmail(), headers)),
  'POST /v1/sms': keyed((headers) => system.post('/v1/sms', aSms('Hi'), headers)),
  'POST /v1/sync-runs': keyed((headers) => system.post('/v1/sync-runs', { source: 'products' }, headers)),
  'POST /v1/reports': keyed((headers) => system.post('/v1/reports', aCsv, headers)),
  'POST /v1/images': keyed(postImage),
  'PUT /v1/products/{sku}': {
    status: 200,
    visit: () => ask('PUT', '/v1/products/shared-sku', rival, aProduct('changed by rival')),
  },
  'GET /v1/products': { status: 200, visit: () => ask('GET', '/v1/products?q=canary', rival) },
  'GET /v1/jobs': { status: 200, visit: () => ask('GET', `/v1/jobs?limit=100`, rival) },
  'GET /v1/jobs/{id}': of('GET', () => `/v1/jobs/${owned.report}`),
  'GET /v1/jobs/{id}/trace': of('GET', () => `/v1/jobs/${owned.report}/trace`),
  'POST /v1/jobs/{id}/cancel': of('POST', () => `/v1/jobs/${owned.scheduled}/cancel`),
  'GET /v1/jobs/{id}/events': {
    status: 404,
    visit: async () => EventReader.open(`${system.url()}/v1/jobs/${owned.scheduled}/events`, rival),
    asked: () => owned.scheduled,
  },
  'GET /v1/events': {
    status: 200,
    visit: () =>
      beginningOfStream('/v1/events', async () => {
        const { body } = await ask('POST', '/v1/sms', shop, aSms(canaries.text));
        await finished('shop', body.id);
      }),
  },
  'POST /v1/webhooks': {
    status: 201,
    visit: () => ask('POST', '/v1/webhooks', rival, { url: 'http://127.0.0.1:9/' }),
  },
  'GET /v1/webhooks': { status: 200, visit: () => ask('GET', '/v1/webhooks', rival) },
  'GET /v1/webhooks/{id}': of('GET', () => `/v1/webhooks/${owned.webhook}`),
  'DELETE /v1/webhooks/{id}': of('DELETE', () => `/v1/webhooks/${owned.webhook}`),
  'POST /v1/webhooks/{id}/test': of('POST', () => `/v1/webhooks/${owned.webhook}/test`),
  'POST /v1/webhooks/{id}/rotate-secret': of('POST', () => `/v1/webhooks/${owned.webhook}/rotate-secret`),
  'POST /v1/webhooks/{id}/enable': of('POST', () => `/v1/webhooks/${owned.webhook}/enable`),
  'GET /v1/webhooks/{id}/deliveries': of('GET', () => `/v1/webhooks/${owned.webhook}/deliveries`),
  'POST /v1/webhooks/{id}/deliveries/{jobId}/resend': {
    status: 404,
    visit: async () => {
      // With a webhook of the rival.
      const { body } = await ask('GET', '/v1/webhooks', rival);
      return ask('POST', `/v1/webhooks/${body.items[0].id}/deliveries/${owned.delivery}/resend`, rival);
    },
    asked: () => owned.delivery,
  },
  'GET /v1/files/{id}': {
    status: 403,
    visit: async () => {
      const own = await finished('rival', (await ask('POST', '/v1/reports', rival, aCsv)).body.id);
      const { body } = await ask('GET', `/v1/jobs/${(own as { id?: string }).id}`, rival);
      // The signature of a link of the rival, with the id of a file of the shop.
      const [path] = owned.fileLink.split('?');
      return ask('GET', `${path}?${(body.result.file.url as string).split('?')[1]}`, rival);
    },
  },
  'GET /v1/brokers': { status: 200, visit: () => ask('GET', '/v1/brokers', rival) },
  'GET /v1/dead-letters': { status: 403, visit: () => ask('GET', '/v1/dead-letters', rival) },
  'POST /v1/dead-letters/redrive': {
    status: 403,
    visit: () => ask('POST', '/v1/dead-letters/redrive', rival, { ids: [owned.email] }),
  },
  'GET /v1/dead-letters/{id}/raw': {
    status: 403,
    visit: () => ask('GET', `/v1/dead-letters/${owned.email}/raw`, rival),
    asked: () => owned.email,
  },
  'GET /v1/dead-letters/{id}': {
    status: 403,
    visit: () => ask('GET', `/v1/dead-letters/${owned.email}`, rival),
    asked: () => owned.email,
  },
  'POST /v1/dead-letters/{id}/redrive': {
    status: 403,
    visit: () => ask('POST', `/v1/dead-letters/${owned.email}/redrive`, rival),
    asked: () => owned.email,
  },
  'POST /v1/dead-letters/{id}/discard': {
    status: 403,
    visit: () => ask('POST', `/v1/dead-letters/${owned.email}/discard`, rival, { reason: 'not mine' }),
    asked: () => owned.email,
  },
  'GET /v1/redrives': { status: 403, visit: () => ask('GET', '/v1/redrives', rival) },
  'POST /v1/redrives': { status: 403, visit: () => ask('POST', '/v1/redrives', rival, { filter: {} }) },
  'GET /v1/redrives/{id}': {
    status: 403,
    visit: () => ask('GET', `/v1/redrives/${owned.email}`, rival),
    asked: () => owned.email,
  },
  'POST /v1/redrives/{id}/pause': {
    status: 403,
    visit: () => ask('POST', `/v1/redrives/${owned.email}/pause`, rival),
    asked: () => owned.email,
  },
  'POST /v1/redrives/{id}/cancel': {
    status: 403,
    visit: () => ask('POST', `/v1/redrives/${owned.email}/cancel`, rival),
    asked: () => owned.email,
  },
  'POST /v1/redrives/{id}/resume': {
    status: 403,
    visit: () => ask('POST', `/v1/redrives/${owned.email}/resume`, rival),
    asked: () => owned.email,
  },
  'GET /v1/queues': { status: 403, visit: () => ask('GET', '/v1/queues', rival) },
  'POST /v1/queues/{queue}/pause': {
    status: 403,
    visit: () => ask('POST', '/v1/queues/email/pause', rival, { reason: 'not mine' }),
  },
  'POST /v1/queues/{queue}/resume': { status: 403, visit: () => ask('POST', '/v1/queues/email/resume', rival) },
  'POST /v1/queues/{queue}/purge': {
    status: 403,
    visit: () => ask('POST', '/v1/queues/email/purge', rival, { confirm: 'email' }),
  },
  'GET /v1/audit': { status: 403, visit: () => ask('GET', '/v1/audit', rival) },
  'GET /v1/session': { status: 200, visit: () => ask('GET', '/v1/session', rival) },
  // Ends the session of the caller. A Bearer key has no session.
  'DELETE /v1/session': {
    status: 204,
    visit: () => fetch(`${system.url()}/v1/session`, { method: 'DELETE', headers: rival }),
  },
  'GET /metrics': { status: 403, visit: () => ask('GET', '/metrics', rival) },
  'GET /health/live': { status: 200, visit: () => ask('GET', '/health/live', rival) },
  'GET /health/ready': { status: 200, visit: () => ask('GET', '/health/ready', rival) },
  'GET /dev/mailbox': { status: 200, visit: () => ask('GET', '/dev/mailbox', rival) },
  'GET /dev/mailbox/{id}': {
    status: 404,
    visit: async () => {
      const { rows } = await system.pool.query(`SELECT id FROM mailbox_message WHERE tenant = 'shop' LIMIT 1`);
      return ask('GET', `/dev/mailbox/${rows[0].id}`, rival);
    },
  },
  'GET /dev/webhook-receiver': { status: 200, visit: () => ask('GET', '/dev/webhook-receiver', rival) },
  'GET /dev/processes': { status: 200, visit: () => ask('GET', '/dev/processes', rival) },
  'POST /dev/processes/{name}/{action}': {
    status: 403,
    visit: () => ask('POST', '/dev/processes/relay/kill', rival),
  },
};

/** With an id of the shop: the answer is 404. */
function of(method: string, path: () => string): Route {
  return { status: 404, visit: () => ask(method, path(), rival), asked: () => path().split('/')[3]! };
}

/** With an idempotency key that the shop has used before. */
function keyed(post: (headers: Record<string, string>) => Promise<Answer>): Route {
  const key = { 'idempotency-key': randomUUID() };
  let first: string;
  return {
    status: 202,
    prepare: async () => {
      first = (await post({ ...shop, ...key })).body.id;
      await finished('shop', first);
    },
    visit: async () => {
      const answer = await post({ ...rival, ...key });
      expect([answer.headers.get('idempotency-replayed'), answer.body.id === first]).toEqual([null, false]);
      return answer;
    },
  };
}

it('every route of the OpenAPI document is requested by another tenant', async () => {
  const { body } = await system.get('/docs-json');
  const documented = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(Object.keys(routes).sort()).toEqual(documented.sort());
});

it.each(Object.keys(routes))('%s shows and changes nothing of another tenant', async (route) => {
  const { status, prepare, visit, asked = () => 'nothing' } = routes[route]!;
  await prepare?.();
  const before = await everythingOfShop();
  const answer = await visit();
  expect([route, answer.status]).toEqual([route, status]);
  assertNothingOfShop(route, answer, asked());
  if (route === 'GET /v1/events') return;
  expect(await everythingOfShop()).toEqual(before);
});

/** Enqueues a job of any kind for the rival, as an event of another service with that tenant does. */
async function ofRival<D extends JobDefinition>(definition: D, payload: PayloadOf<D>) {
  const { id } = await enqueue(system.pool, {
    tenant: 'rival',
    definition,
    broker: 'bullmq',
    priority: 2,
    maxAttempts: 1,
    delayMs: undefined,
    runAt: undefined,
    payload,
    traceparent: undefined,
    orderKey: undefined,
    idempotency: undefined,
    children: [],
  });
  return finished('rival', id);
}

async function reportOfRival(format: 'csv' | 'xlsx' | 'pdf'): Promise<Buffer> {
  const { body } = await ask('POST', '/v1/reports', rival, { type: 'orders', format });
  expect(await finished('rival', body.id)).toMatchObject({ state: 'completed', result: { rows: counts.rivalOrders } });
  const read = await ask('GET', `/v1/jobs/${body.id}`, rival);
  const response = await fetch(`${system.url()}${read.body.result.file.url}`);
  return Buffer.from(await response.arrayBuffer());
}

const everything = { from: '1970-01-01T00:00:00.000Z', to: '2100-01-01T00:00:00.000Z' };

/** Every kind of the catalogue. A new kind has to be added here, or this test fails. */
const kinds: Record<string, () => Promise<void>> = {
  'email.send': async () => {
    const { body } = await ask('POST', '/v1/emails', rival, anEmail('rival'));
    await finished('rival', body.id);
    const { rows } = await system.pool.query('SELECT tenant FROM mailbox_message WHERE message_id LIKE $1', [
      `<${body.id}@%`,
    ]);
    expect(rows).toEqual([{ tenant: 'rival' }]);
  },
  'sms.send': async () => {
    const { body } = await ask('POST', '/v1/sms', rival, aSms('of rival'));
    await finished('rival', body.id);
    const { rows } = await system.pool.query('SELECT tenant FROM mailbox_message WHERE message_id = $1', [body.id]);
    expect(rows).toEqual([{ tenant: 'rival' }]);
  },
  'email.digest': async () => {
    const { id, result } = await ofRival(emailDigest, {
      to: 'rival@example.com',
      from: '2000-01-01T00:00:00Z',
      until: '2100-01-01T00:00:00Z',
    });
    // Deliveries that began while the digest was made lie between the two numbers.
    const { rows } = await system.pool.query<{ before: number; all: number; ofAllTenants: number }>(
      `SELECT count(*) FILTER (WHERE tenant = 'rival' AND id <= $1)::int AS before,
              count(*) FILTER (WHERE tenant = 'rival')::int AS all, count(*)::int AS "ofAllTenants" FROM job`,
      [id],
    );
    const { before, all, ofAllTenants } = rows[0]!;
    expect(result.jobs).toBeGreaterThanOrEqual(before);
    expect(result.jobs).toBeLessThanOrEqual(all);
    expect(all).toBeLessThan(ofAllTenants);
  },
  'report.make': async () => {
    const csv = (await reportOfRival('csv')).toString();
    expect(csv).toContain('Customer of rival');
    expect(csv).not.toContain('Canary of shop');
    await reportOfRival('xlsx');
    const pdf = await readPdf(await reportOfRival('pdf'));
    expect(JSON.stringify(pdf)).not.toContain('Canary of shop');
    // Without child jobs, the handler computes the sections itself.
    const alone = await ofRival(makeReport, { type: 'orders', format: 'pdf' });
    expect(alone).toMatchObject({ state: 'completed', result: { rows: counts.rivalOrders } });
  },
  'report.section': async () => {
    const { result } = await ofRival(summariseSection, everything);
    expect(result.orders).toBe(counts.rivalOrders);
    expect(JSON.stringify(result)).not.toContain('Canary of shop');
  },
  'image.resize': async () => {
    const { state, error } = await ofRival(resizeImage, { upload: owned.upload });
    expect([state, error.message]).toEqual(['failed', expect.stringContaining('is not there')]);
  },
  'sync.run': async () => {
    const { result } = await ofRival(syncRun, { source: 'products' });
    expect(result).toMatchObject({ read: counts.rivalProducts });
  },
  'webhook.deliver': async () => {
    const message = { webhookId: randomUUID(), type: 'webhook.test', timestamp: new Date().toISOString(), data: {} };
    const { state, error } = await ofRival(deliverWebhook, { endpointId: owned.webhook, ...message });
    expect([state, error.message]).toEqual(['failed', 'The endpoint was deleted.']);
  },
  'product.changed': async () => {
    const prisma = createPrismaClient(system.pool);
    const changed = { sku: 'shared-sku', name: 'published by rival', description: '', priceCents: 1, version: 1_000 };
    await prisma.$transaction((tx) =>
      recordEvent(
        tx,
        productChanged,
        { ...changed, updatedAt: new Date().toISOString(), changedBy: 'rival' },
        { tenant: 'rival' },
      ),
    );
    const found = async (headers: Record<string, string>) =>
      (await ask('GET', '/v1/products?limit=100', headers)).body.items.find(({ sku }: any) => sku === 'shared-sku')
        .name;
    await until(
      'the rival finds its product',
      () => found(rival),
      (name) => name === 'published by rival',
    );
    expect(await found(shop)).toBe(canaries.product);
    // The audit is a subscription of its own.
    const audited = await until(
      'the change is audited',
      async () => (await system.pool.query('SELECT tenant FROM product_audit WHERE version = 1000')).rows,
      ({ length }) => length > 0,
    );
    expect(audited).toEqual([{ tenant: 'rival' }]);
    await prisma.$disconnect();
  },
  'job.finished': async () => {
    const before = await deliveriesOf('shop');
    const { body } = await ask('POST', '/v1/sms', rival, aSms('of rival'));
    await finished('rival', body.id);
    const delivered = await until(
      'the webhook of the rival has a delivery',
      () => deliveriesOf('rival'),
      (payloads) => payloads.some(({ data }) => data['id'] === body.id),
    );
    expect(delivered.length).toBeGreaterThan(0);
    expect((await deliveriesOf('shop')).filter(({ data }) => data['id'] === body.id)).toEqual([]);
    expect(before.length).toBeGreaterThan(0);
  },
};

async function deliveriesOf(tenant: string): Promise<PayloadOf<typeof deliverWebhook>[]> {
  const { rows } = await system.pool.query<{ payload: PayloadOf<typeof deliverWebhook> }>(
    `SELECT payload FROM webhook_delivery JOIN job ON job.id = job_id
      WHERE webhook_delivery.tenant = $1 AND job.tenant = $1`,
    [tenant],
  );
  return rows.map(({ payload }) => payload);
}

it('every kind of the catalogue runs for two tenants', () => {
  const catalogue = [...jobDefinitions, ...eventDefinitions].map(({ kind }) => kind);
  expect(Object.keys(kinds).sort()).toEqual(catalogue.sort());
});

it.each(Object.keys(kinds))('%s reads and writes only data of its own tenant', async (kind) => kinds[kind]!());

it('the mailbox shows a tenant its own messages, and shows operators those of the system', async () => {
  await system.pool.query(
    `INSERT INTO mailbox_message (tenant, channel, recipient, text, message_id)
     VALUES ('system', 'email', 'ops@example.com', 'digest', 'digest-1')`,
  );
  const textsFor = async (key: string) =>
    (await ask('GET', '/dev/mailbox', bearer(key))).body.items.map(({ text }: { text: string }) => text) as string[];
  expect(await textsFor(keys.user)).toContain(canaries.text);
  expect(await textsFor(keys.user)).not.toContain('digest');
  for (const key of [keys.viewer, keys.operator, keys.admin]) expect(await textsFor(key)).toEqual(['digest']);
});

// The last tests: they delete the shop.
describe('npm run tenant', () => {
  const run = (args: readonly string[], environment: Record<string, string> = {}) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(projectFolder, 'dist/scripts/tenant/main.js'), ...args],
      {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], DATABASE_URL: system.databaseUrl, STORAGE_DIR: storage, ...environment },
      },
    );
    return { status, stdout, stderr };
  };

  const filesIn = (folder: string) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .sort();

  /** The number of rows of a tenant in each table that has some. */
  async function rowsOf(tenant: string): Promise<Record<string, number>> {
    const { rows: tables } = await system.pool.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name = 'tenant' ORDER BY 1`,
    );
    const counts: Record<string, number> = {};
    for (const { name } of tables) {
      const { rowCount } = await system.pool.query(`SELECT FROM ${name} WHERE tenant = $1`, [tenant]);
      if (rowCount! > 0) counts[name] = rowCount!;
    }
    return counts;
  }

  const auditOf = async (tenant: string) =>
    (
      await system.pool.query<{ action: string }>('SELECT action FROM audit_entry WHERE subject = $1 ORDER BY id', [
        tenant,
      ])
    ).rows;

  /** The jobs of the shop that do not wait for an hour or for a dead address. */
  const settled = () =>
    until(
      'the jobs of the shop have settled',
      () =>
        system.pool.query(
          `SELECT FROM job WHERE tenant = 'shop' AND state IN ('waiting', 'queued', 'active')
              AND kind <> 'webhook.deliver' AND run_at < now()`,
        ),
      ({ rowCount }) => rowCount === 0,
      60_000,
    );

  // Its retries would change the rows that the tests count.
  beforeAll(async () => {
    expect(await system.end('webhook-worker', 'SIGTERM')).toBe(0);
  });

  it('export writes every row and file of the tenant, of no other, and no secret', async () => {
    await settled();
    const folder = join(mkdtempSync(join(tmpdir(), 'export-')), 'shop');
    const { status, stderr } = run(['export', 'shop', folder]);
    expect([status, stderr]).toEqual([0, '']);
    const tables = filesIn(folder).filter((path) => path.endsWith('.ndjson'));
    const rows = tables.map((path) => {
      const lines = readFileSync(join(folder, path), 'utf8').trimEnd().split('\n');
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    });
    expect(Object.fromEntries(tables.map((path, at) => [path.replace('.ndjson', ''), rows[at]!.length]))).toEqual(
      await rowsOf('shop'),
    );
    expect(new Set(rows.flat().map(({ tenant }) => tenant))).toEqual(new Set(['shop']));
    const endpoint = rows[tables.indexOf('webhook_endpoint.ndjson')]![0]!;
    expect([Object.keys(endpoint).includes('url'), Object.keys(endpoint).includes('secret')]).toEqual([true, false]);
    const { rows: files } = await system.pool.query<{ key: string }>(
      `SELECT key FROM file WHERE tenant = 'shop' UNION ALL SELECT key FROM upload WHERE tenant = 'shop' ORDER BY key`,
    );
    expect(filesIn(join(folder, 'files'))).toEqual(files.map(({ key }) => key).sort());
    const report = files.find(({ key }) => key.includes(owned.report))!;
    expect(readFileSync(join(folder, 'files', report.key), 'utf8')).toContain('Canary of shop');
    expect(await auditOf('shop')).toEqual([{ action: 'tenant.export' }]);
    const again = run(['export', 'shop', folder]);
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining('a folder that does not exist yet')]);
    rmSync(join(folder, '..'), { recursive: true });
  });

  it('export refuses a tenant that is not known', () => {
    const folder = mkdtempSync(join(tmpdir(), 'export-'));
    const { status, stderr } = run(['export', 'shpo', join(folder, 'out')]);
    expect([status, stderr]).toEqual([1, expect.stringContaining('found nothing of a tenant "shpo"')]);
    rmSync(folder, { recursive: true });
  });

  it('erase wants the name twice, and no key of the tenant', async () => {
    const before = await rowsOf('shop');
    const unconfirmed = run(['erase', 'shop', '--confirm', 'rival']);
    expect([unconfirmed.status, unconfirmed.stderr]).toEqual([1, expect.stringContaining('expected --confirm shop')]);
    const withKey = run(['erase', 'shop', '--confirm', 'shop'], { API_KEYS: apiKeys.join() });
    expect([withKey.status, withKey.stderr]).toEqual([1, expect.stringContaining('no key of shop in API_KEYS')]);
    expect((await rowsOf('shop'))['job']).toBe(before['job']);
  });

  it('erase deletes every row and file of the tenant, and of no other', async () => {
    const before = await rowsOf('rival');
    const filesBefore = filesIn(storage);
    const { rows: ofShop } = await system.pool.query<{ key: string }>(
      `SELECT key FROM file WHERE tenant = 'shop' UNION ALL SELECT key FROM upload WHERE tenant = 'shop'`,
    );
    expect((await job('shop', owned.scheduled)).state).toBe('scheduled');
    const { status, stdout, stderr } = run(['erase', 'shop', '--confirm', 'shop']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^job: \d+ deleted$/m);
    expect(await rowsOf('shop')).toEqual({});
    // The rival's webhooks go on.
    const after = await rowsOf('rival');
    expect(Object.entries(before).filter(([table, rows]) => (after[table] ?? 0) < rows)).toEqual([]);
    const gone = new Set(ofShop.map(({ key }) => key));
    expect(gone.size).toBeGreaterThan(5);
    expect(filesIn(storage)).toEqual(filesBefore.filter((path) => !gone.has(path)));
    const rows = await everyRow(system.databaseUrl);
    expect([...Object.values(canaries), 'Canary of shop'].filter((canary) => rows.includes(canary))).toEqual([]);
    expect(await auditOf('shop')).toEqual([{ action: 'tenant.export' }, { action: 'tenant.erase' }]);
    const { rowCount: messages } = await system.pool.query(
      'SELECT FROM outbox WHERE NOT EXISTS (SELECT FROM job WHERE job.id = job_id)',
    );
    expect(messages).toBe(0);
  });
});
