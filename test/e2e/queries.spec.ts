import { randomUUID } from 'node:crypto';
import { apiKeys, bearer, keys } from '../support/keys';
import { TestSystem, testSessions } from '../support/system';
import { until } from '../support/until';

let system: TestSystem;

beforeAll(async () => {
  const environment = { API_KEYS: apiKeys.join(','), LOG_LEVEL: 'debug' };
  system = await TestSystem.start({ apps: ['api'], environment });
});

afterAll(() => system.stop());

const ask = (path: string) => system.request(path, { headers: bearer(keys.admin) });

const cursor = (...position: unknown[]) => Buffer.from(JSON.stringify(position)).toString('base64url');
const deep = encodeURIComponent(`${'['.repeat(2_000)}${']'.repeat(2_000)}`);

/** Values that no parameter of any route accepts. */
const absurd = [
  '%00',
  'a%00b',
  '%2500',
  '%25',
  '%ED%A0%80',
  '%F0%9F',
  '1e30',
  '-1e30',
  '99999999999999999999999999',
  '0.5',
  'NaN',
  'Infinity',
  deep,
  cursor(0, 'a\0'),
  cursor(0, '\ud800'),
  cursor(null, 'a'),
  Buffer.from('[1e999,"a"]').toString('base64url'),
  Buffer.from('[0.5,"a","b"]').toString('base64url'),
  'x'.repeat(8_000),
];

/** The ways to send a parameter: once, twice, as a list and as an object. */
const spellings = (name: string, value: string): string[] => [
  `${name}=${value}`,
  `${name}=${value}&${name}=${value}`,
  `${name}[]=${value}`,
  `${name}[a][b]=${value}`,
];

async function expectNoFault(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const { status, body } = await ask(path);
    expect({ path: path.slice(0, 200), status, body: status < 500 ? undefined : body }).toEqual({
      path: path.slice(0, 200),
      status: expect.any(Number),
      body: undefined,
    });
  }
}

it('no parameter of any GET in the OpenAPI document causes a 500, whatever its value', async () => {
  const { body: document } = await system.get('/docs-json');
  const operations = Object.entries<any>(document.paths).flatMap(([path, methods]) =>
    methods.get ? [[path, methods.get]] : [],
  );
  expect(operations.length).toBeGreaterThan(10);
  for (const [path, { parameters = [] }] of operations as [string, any][]) {
    if (path.endsWith('/events')) continue; // live.spec.ts tests the parameters of streams.
    const concrete = path.replaceAll(/\{[^}]+\}/g, randomUUID());
    const names = [
      ...parameters.filter((one: any) => one.in === 'query').map((one: any) => one.name as string),
      'unknown',
    ];
    const queries = names.flatMap((name) => absurd.flatMap((value) => spellings(name, value)));
    await expectNoFault(queries.map((query) => `${concrete}?${query}`));
    if (path.includes('{')) await expectNoFault(absurd.map((value) => path.replaceAll(/\{[^}]+\}/g, value)));
  }
}, 300_000);

it('no parameter of Bull Board causes a 500, whatever its value', async () => {
  const api = '/admin/queues/api';
  const names = ['page', 'jobsPerPage', 'activeQueue', 'status'];
  const queries = names.flatMap((name) =>
    absurd.map((value) => `${api}/queues?activeQueue=email.send&${name}=${value}`),
  );
  const twice = names.map((name) => `${api}/queues?${name}=1&${name}=2`);
  const paths = absurd.flatMap((value) =>
    ['email.send', 'email'].flatMap((queue) => [
      `${api}/queues/${queue}/${value}`,
      `${api}/queues/${queue}/${value}/logs`,
    ]),
  );
  const flows = absurd.map((value) => `${api}/queues/email/1/flow?depth=${value}&maxChildren=${value}`);
  await expectNoFault([...queries, ...twice, ...paths, ...flows]);
}, 300_000);

it.each([
  ['/v1/products?q=mug&cursor=' + cursor(0, 'a\0'), 'invalid_query'],
  ['/v1/jobs?kind=a%00b', 'invalid_query'],
  ['/v1/jobs/%00', 'invalid_path'],
  ['/admin/queues/api/queues?page=1e30', 'invalid_query'],
  ['/admin/queues/api/queues?jobsPerPage=1e30', 'invalid_query'],
  ['/admin/queues/api/queues?activeQueue=%25', 'invalid_query'],
])('%s is refused with 400 %s', async (path, code) => {
  const { status, body } = await ask(path);
  expect([status, body.code]).toEqual([400, code]);
});

it('a log line contains the path of a request and not its query', async () => {
  const secret = `sig${randomUUID()}`;
  await ask(`/v1/files/${randomUUID()}?expires=1&signature=${secret}`);
  await ask(`/v1/nothing?signature=${secret}`);
  await ask(`/admin/queues/api/queues?signature=${secret}&page=x`);
  await until(
    'the requests are logged',
    () => Promise.resolve(system.allOutput),
    (text) => text.includes('"path":"/v1/files/') && text.includes('"path":"/v1/nothing"'),
  );
  expect(system.allOutput).not.toContain(secret);
});

it('an answer quotes only the beginning of a long path, header or id', async () => {
  const long = 'x'.repeat(10_000);
  for (const path of [`/v1/${long}`, `/v1/jobs/${long}`, `/v1/webhooks/${long}`, `/v1/products/${long}`]) {
    expect(JSON.stringify((await ask(path)).body).length).toBeLessThan(1_000);
  }
  const headers = { ...bearer(keys.user), 'last-event-id': long };
  expect(JSON.stringify((await system.request('/v1/events', { headers })).body).length).toBeLessThan(1_500);
});

it('GET /health/ready answers 503 with a reason when the database is read-only', async () => {
  const name = new URL(system.databaseUrl).pathname.slice(1);
  expect((await system.get('/health/ready')).status).toBe(200);
  await system.pool.query(`ALTER DATABASE "${name}" SET default_transaction_read_only = on`);
  try {
    // A connection reads the setting when it begins.
    await system.pool.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name <> $2',
      [name, testSessions],
    );
    const { body } = await until(
      'it notices',
      () => system.get('/health/ready'),
      ({ body: { code } }) => code === 'database_read_only',
    );
    expect(body).toMatchObject({ status: 503, detail: expect.stringContaining('default_transaction_read_only') });
  } finally {
    await system.pool.query(`ALTER DATABASE "${name}" RESET default_transaction_read_only`);
  }
});

it('an idle connection is kept for 75 s, longer than nginx keeps one (60 s)', async () => {
  // supertest asks the server to close the connection, so this test uses fetch.
  const { headers } = await fetch(`${system.url()}/health/live`);
  expect(headers.get('keep-alive')).toBe('timeout=75');
});
