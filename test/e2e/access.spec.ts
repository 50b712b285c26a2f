import { createHmac } from 'node:crypto';
import { get } from 'node:http';
import supertest from 'supertest';
import { EventReader } from '../support/event-reader';
import { apiKeys, basic, bearer, keys } from '../support/keys';
import { RawConnection } from '../support/raw-connection';
import { anEmail, TestSystem } from '../support/system';
import { until } from '../support/until';

const signingSecret = 'a secret that only the tests of sessions know';
const publicUrl = 'https://queue.example.com';

let system: TestSystem;
/** The API processes of the system, by the settings in which they differ. */
const processes = {
  'api-less': { API_KEYS: apiKeys.filter((key) => !key.startsWith(keys.viewer)).join(',') },
  'api-narrow': { THROTTLE_PER_SECOND: '5' },
  'api-bare': { TRUST_PROXY: 'false', PUBLIC_URL: '' },
  'api-plain': { PUBLIC_URL: '' },
  'api-open': { API_KEYS: '' },
  'api-production': { NODE_ENV: 'production' },
};

beforeAll(async () => {
  system = await TestSystem.start({
    apps: ['api'],
    environment: {
      API_KEYS: apiKeys.join(','),
      SIGNING_SECRET: signingSecret,
      PUBLIC_URL: publicUrl,
      TRUST_PROXY: '1',
    },
  });
  await Promise.all(Object.entries(processes).map(([name, environment]) => system.launch('api', name, environment)));
});

afterAll(() => system.stop());

let addresses = 0;
/** A new client address for each call, so that the failed attempts of one test do not throttle the next. */
const from = (address = `10.0.${Math.floor((addresses += 1) / 250)}.${addresses % 250}`) => ({
  'x-forwarded-for': address,
});

describe('the access of each role', () => {
  let job: string;

  beforeAll(async () => {
    job = (await system.post('/v1/emails', anEmail(), bearer(keys.user))).body.id;
  });

  const callers = {
    nobody: () => ({}),
    'a wrong key': () => ({ ...bearer('key-that-nobody-has'), ...from() }),
    'another scheme': () => ({ authorization: `Digest ${keys.admin}` }),
    user: () => bearer(keys.user),
    rival: () => bearer(keys.rival),
    viewer: () => bearer(keys.viewer),
    operator: () => bearer(keys.operator),
    admin: () => bearer(keys.admin),
  };
  const strangers = { nobody: 401, 'a wrong key': 401, 'another scheme': 401 };
  const all = (status: number) => Object.fromEntries(Object.keys(callers).map((caller) => [caller, status]));
  const users = (status: number) => ({
    ...strangers,
    ...{ user: status, rival: status, viewer: 403, operator: 403, admin: status },
  });
  const lookers = (status: number) => ({
    ...strangers,
    ...{ user: 403, rival: 403, viewer: status, operator: status, admin: status },
  });

  const table: [method: string, path: string, Record<string, number>, body?: object][] = [
    ['GET', '/health/live', all(200)],
    ['GET', '/health/ready', all(200)],
    ['GET', '/', { ...all(200), ...strangers }],
    ['GET', '/docs', all(200)],
    ['GET', '/docs-json', all(200)],
    ['GET', '/asyncapi.json', all(200)],
    ['GET', '/dev/mailbox', { ...all(200), ...strangers }],
    ['GET', '/dev/processes', { ...all(200), ...strangers }],
    ['POST', '/dev/processes/relay/kill', { ...lookers(404), viewer: 403 }],
    ['POST', '/v1/emails', users(202), anEmail()],
    ['POST', '/v1/sms', users(202), { to: '+4915112345678', text: 'Hi' }],
    ['GET', '/v1/jobs', users(200)],
    ['GET', '/v1/webhooks', users(200)],
    ['POST', '/v1/webhooks', users(422), { url: 'http://169.254.169.254/' }],
    ['GET', '/v1/jobs/:job', { ...users(404), user: 200 }],
    ['GET', '/v1/jobs/:job/events', { ...users(404), user: 200 }],
    ['GET', '/v1/events', users(200)],
    ['GET', '/admin/queues', lookers(200)],
    ['GET', '/admin/queues/', lookers(200)],
    ['GET', '/ADMIN/QUEUES/', lookers(200)],
    ['GET', '/admin/queues/api/queues', lookers(200)],
    ['GET', '/admin/queues/static/favicon.ico', lookers(200)],
    ['GET', '/v1/brokers', { ...all(200), ...strangers }],
    ['GET', '/v1/session', { ...all(200), ...strangers }],
    ['GET', '/v1/dead-letters', lookers(200)],
    ['GET', '/v1/dead-letters/019e0000-0000-7000-8000-000000000000/raw', lookers(404)],
    ['GET', '/v1/dead-letters/019e0000-0000-7000-8000-000000000000', { ...lookers(404), viewer: 403 }],
    ['POST', '/v1/dead-letters/019e0000-0000-7000-8000-000000000000/redrive', { ...lookers(404), viewer: 403 }, {}],
    [
      'POST',
      '/v1/dead-letters/019e0000-0000-7000-8000-000000000000/discard',
      { ...lookers(404), viewer: 403 },
      { reason: 'a test' },
    ],
    ['GET', '/v1/redrives', { ...lookers(200), viewer: 403 }],
    // The first caller begins it; for the others it runs already.
    ['POST', '/v1/redrives', { ...lookers(409), operator: 202, viewer: 403 }, { filter: { kind: 'nothing' } }],
    ['GET', '/v1/redrives/019e0000-0000-7000-8000-000000000000', { ...lookers(404), viewer: 403 }],
    ['POST', '/v1/redrives/019e0000-0000-7000-8000-000000000000/pause', { ...lookers(404), viewer: 403 }],
    ['POST', '/v1/redrives/019e0000-0000-7000-8000-000000000000/resume', { ...lookers(404), viewer: 403 }],
    ['POST', '/v1/redrives/019e0000-0000-7000-8000-000000000000/cancel', { ...lookers(404), viewer: 403 }],
    ['GET', '/v1/queues', lookers(200)],
    ['POST', '/v1/queues/nothing/pause', { ...lookers(404), viewer: 403 }, { reason: 'a test' }],
    ['POST', '/v1/queues/nothing/resume', { ...lookers(404), viewer: 403 }],
    ['POST', '/v1/queues/nothing/purge', { ...lookers(404), viewer: 403 }, { confirm: 'nothing' }],
    ['GET', '/v1/audit', { ...lookers(200), viewer: 403 }],
    ['POST', '/v1/dead-letters/redrive', { ...lookers(202), viewer: 403 }, { filter: {} }],
    ['PUT', '/admin/queues/api/queues/email.send/retry/failed', { ...lookers(200), viewer: 403 }],
    ['POST', '/v1/jobs/:job/cancel', { ...users(404), user: 202 }],
    // When the role is allowed, the board answers 405, because these queues are read-only.
    ['PUT', '/admin/queues/api/queues/email/clean/completed', { ...lookers(405), viewer: 403 }],
  ];

  it.each(table.map(([method, path, expected, body]) => ({ method, path, expected, body })))(
    'to $method $path is as in the table',
    async ({ method, path, expected, body }) => {
      const seen: Record<string, number> = {};
      for (const [caller, headers] of Object.entries(callers)) {
        const target = path.replace(':job', job);
        const answer = path.endsWith('/events')
          ? await EventReader.open(`${system.url()}${target}`, headers())
          : await system.request(target, { method, headers: headers(), ...(body && { body: JSON.stringify(body) }) });
        if ('reader' in answer) answer.reader.close();
        seen[caller] = answer.status;
        const unknown = path.startsWith('/dev/processes')
          ? 'process_unknown'
          : path.startsWith('/v1/dead-letters')
            ? 'dead_letter_not_found'
            : path.startsWith('/v1/redrives')
              ? 'redrive_not_found'
              : path.startsWith('/v1/queues')
                ? 'queue_not_found'
                : 'job_not_found';
        const code = { 401: 'unauthenticated', 403: 'forbidden', 404: unknown }[answer.status];
        if (code) expect(answer.body).toMatchObject({ status: answer.status, code, type: `urn:problem:${code}` });
      }
      expect(seen).toEqual(expected);
    },
  );

  it('to a job in a list is limited to the tenant of the job', async () => {
    const list = async (key: string) =>
      (await system.request('/v1/jobs?limit=100', { headers: bearer(key) })).body.items.map(({ id }: any) => id);
    expect(await list(keys.user)).toContain(job);
    expect(await list(keys.rival)).not.toContain(job);
    expect(await list(keys.admin)).not.toContain(job);
  });

  it('to an idempotency key is limited to its tenant: two tenants can use the same key', async () => {
    const post = (key: string) =>
      system.post('/v1/emails', anEmail(), { ...bearer(key), 'idempotency-key': 'the-same-for-both' });
    const [first, again, other] = [await post(keys.user), await post(keys.user), await post(keys.rival)];
    expect(again.body.id).toBe(first.body.id);
    expect(other.body.id).not.toBe(first.body.id);
  });

  it('is refused with 401 and one WWW-Authenticate line for each scheme', async () => {
    // One line for each scheme: Chromium does not ask for a password when the schemes share a line.
    const lines = await new Promise<string[]>((resolve, reject) => {
      get(`${system.url()}/v1/jobs`, (answer) => {
        answer.resume();
        const raw = answer.rawHeaders;
        resolve(raw.filter((_, n) => raw[n - 1]?.toLowerCase() === 'www-authenticate'));
      }).on('error', reject);
    });
    expect(lines).toEqual(['Basic realm="node-message-queue"', 'Bearer']);
  });

  it('is refused with 403 that names the required role and the roles of the key', async () => {
    const { body } = await system.request('/v1/jobs', { headers: bearer(keys.viewer) });
    expect(body.detail).toContain('Expected a key with the role user, got one with viewer.');
  });

  it('is full for every caller, as the tenant demo, when no API keys are set', async () => {
    const { status, body } = await system.post('/v1/emails', anEmail(), {}, 'api-open');
    expect(status).toBe(202);
    const { rows } = await system.pool.query('SELECT tenant FROM job WHERE id = $1', [body.id]);
    expect(rows).toEqual([{ tenant: 'demo' }]);
    expect((await system.get('/admin/queues', 'api-open')).status).toBe(200);
  });

  it.each([
    '/',
    '/docs',
    '/docs/',
    '/DOCS',
    '/docs/swagger-ui-init.js',
    '/docs-json',
    '/docs-yaml',
    '/asyncapi.json',
    '/ASYNCAPI.json',
  ])('to %s in production requires a key', async (path) => {
    const ask = (headers: Record<string, string>) => system.request(path, { headers }, 'api-production');
    expect((await ask({})).status).toBe(401);
    expect((await ask(bearer(keys.viewer))).status).toBe(200);
  });

  it('to the mailbox and to processes does not exist in production, and the health checks are open', async () => {
    const headers = bearer(keys.admin);
    for (const path of ['/dev/mailbox', '/dev/processes']) {
      expect((await system.request(path, { headers }, 'api-production')).status).toBe(404);
    }
    const kill = { method: 'POST', headers };
    const { body } = await system.request('/dev/processes/relay/kill', kill, 'api-production');
    expect(body.code).toBe('route_not_found');
    expect((await system.get('/health/ready', 'api-production')).status).toBe(200);
  });

  it('is described in the OpenAPI document, with its schemes and refusals', async () => {
    const { body } = await system.get('/docs-json');
    expect(body.components.securitySchemes).toMatchObject({ bearer: { scheme: 'bearer' }, basic: { scheme: 'basic' } });
    for (const [path, method] of [
      ['/v1/emails', 'post'],
      ['/v1/sms', 'post'],
      ['/v1/jobs', 'get'],
      ['/v1/jobs/{id}', 'get'],
      ['/v1/jobs/{id}/trace', 'get'],
    ] as const) {
      const operation = body.paths[path][method];
      expect(operation.security).toEqual(expect.arrayContaining([{ bearer: [] }, { basic: [] }]));
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['401', '403', '429']));
    }
    expect(body.paths['/health/live'].get.security).toBeUndefined();
  });
});

describe('a session', () => {
  const cookiesOf = (answer: supertest.Response) => answer.get('Set-Cookie') ?? [];
  const sent = (cookies: readonly string[]) => ({ cookie: cookies.map((cookie) => cookie.split(';')[0]).join('; ') });

  async function logIn(headers: Record<string, string> = {}, name = 'api'): Promise<string[]> {
    const answer = await supertest(system.url(name)).get('/admin/queues').set(basic(keys.viewer)).set(headers);
    expect(answer.status).toBe(200);
    return cookiesOf(answer);
  }

  /** The cookie that `cookie-session` sends for these contents. */
  function signed(contents: object): Record<string, string> {
    const secret = createHmac('sha256', signingSecret).update('session').digest('base64');
    const cookie = `__Host-session=${Buffer.from(JSON.stringify(contents)).toString('base64')}`;
    return { cookie: `${cookie}; __Host-session.sig=${createHmac('sha1', secret).update(cookie).digest('base64url')}` };
  }

  const contentsOf = ([cookie]: readonly string[]) =>
    JSON.parse(Buffer.from(/session=([^;]+)/.exec(cookie!)![1]!, 'base64').toString());

  const statusWith = async (headers: Record<string, string>, name = 'api') =>
    (await system.request('/admin/queues/api/queues', { headers }, name)).status;

  it('begins with Basic and has the roles of the key, on every process', async () => {
    const cookies = await logIn();
    expect(await statusWith(sent(cookies))).toBe(200);
    expect(await statusWith(sent(cookies), 'api-production')).toBe(200);
    expect((await system.request('/v1/jobs', { headers: sent(cookies) })).status).toBe(403);
  });

  it('is an HttpOnly, SameSite cookie for 8 hours that does not contain the key', async () => {
    const before = Date.now();
    const cookies = await logIn();
    expect(cookies).toHaveLength(2);
    for (const cookie of cookies) {
      expect(cookie).toMatch(/; samesite=lax/i);
      expect(cookie).toMatch(/; httponly/i);
      expect(cookie).toMatch(/^__Host-session[=.]/);
      expect(cookie).toMatch(/; secure/i);
      expect(cookie).toMatch(/; path=\/;/i);
      expect(cookie).not.toMatch(/; domain/i);
      const hours = (Date.parse(/expires=([^;]+)/.exec(cookie)![1]!) - before) / 3_600_000;
      expect(hours).toBeCloseTo(8, 1);
    }
    expect(JSON.stringify(contentsOf(cookies))).not.toContain(keys.viewer);
  });

  it('does not begin with Bearer, and does not begin again while it lasts', async () => {
    const ask = (headers: Record<string, string>) => supertest(system.url()).get('/admin/queues').set(headers);
    expect(cookiesOf(await ask(bearer(keys.viewer)))).toEqual([]);
    expect(cookiesOf(await ask({ ...basic(keys.viewer), ...sent(await logIn()) }))).toEqual([]);
  });

  it('ends at its time, whatever expiry the browser sends', async () => {
    const contents = contentsOf(await logIn());
    expect(await statusWith(signed(contents))).toBe(200);
    expect(await statusWith(signed({ ...contents, until: Date.now() - 1 }))).toBe(401);
    expect(await statusWith(signed({ key: contents.key }))).toBe(401);
  });

  it('ends when its key is removed', async () => {
    expect(await statusWith(sent(await logIn()), 'api-less')).toBe(401);
  });

  it('is refused when its cookie was changed', async () => {
    const cookies = await logIn();
    const contents = contentsOf(cookies);
    const other = Buffer.from(JSON.stringify({ ...contents, until: Number(contents.until) + 1 })).toString('base64');
    expect(await statusWith(sent([`__Host-session=${other}`, cookies[1]!]))).toBe(401);
    expect(await statusWith(sent([cookies[0]!]))).toBe(401);
    expect(await statusWith({ cookie: '__Host-session=e30; __Host-session.sig=x' })).toBe(401);
  });

  it('has a secure cookie without PUBLIC_URL if a trusted proxy says that the client used https', async () => {
    const https = { 'x-forwarded-proto': 'https' };
    for (const cookie of await logIn(https, 'api-plain')) expect(cookie).toMatch(/^session.*; secure/i);
    for (const name of ['api-plain', 'api-bare']) {
      const cookies = await logIn(name === 'api-bare' ? https : {}, name);
      expect(cookies).toHaveLength(2);
      for (const cookie of cookies) expect(cookie).not.toMatch(/; secure/i);
    }
  });

  it.each<[string, Record<string, string>]>([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['another host of the same site', { 'sec-fetch-site': 'same-site' }],
    ['a page of another origin', { origin: 'https://evil.example.com' }],
  ])('does not begin, and an existing one is not replaced, by a request that %s made', async (_, headers) => {
    expect(await logIn(headers)).toEqual([]);
    const cookies = await logIn();
    const forced = await supertest(system.url())
      .get('/v1/brokers')
      .set({ ...basic(keys.user), ...sent(cookies), ...headers });
    expect([forced.status, cookiesOf(forced)]).toEqual([200, []]);
  });

  it.each(['/v1/jobs', '/v1/nothing', '/v1/dead-letters?limit=0'])(
    'does not begin with a refused request: %s',
    async (path) => {
      const refused = await supertest(system.url()).get(path).set(basic(keys.viewer));
      expect(refused.status).toBeGreaterThanOrEqual(400);
      expect(cookiesOf(refused)).toEqual([]);
    },
  );

  it('ends with a log-out: every process refuses a copy of its cookie, and the browser deletes it', async () => {
    const [cookies, others] = [await logIn(), await logIn()];
    const out = await supertest(system.url()).delete('/v1/session').set(sent(cookies));
    expect(out.status).toBe(204);
    for (const cookie of cookiesOf(out)) expect(cookie).toMatch(/expires=Thu, 01 Jan 1970.*; secure/i);
    expect(out.headers['clear-site-data']).toBe('"cookies"');
    for (const name of ['api', 'api-production']) {
      const answer = await system.request('/v1/brokers', { headers: sent(cookies) }, name);
      expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated']);
      expect(await statusWith(sent(others), name)).toBe(200);
    }
  });

  it.each<[string, boolean]>([
    ['with its cookie', true],
    ['without its cookie', false],
  ])('does not begin again with a log-out to which the browser adds the password, %s', async (_, hasCookie) => {
    const cookies = await logIn();
    const headers = { ...basic(keys.viewer), ...(hasCookie && sent(cookies)) };
    const out = await supertest(system.url()).delete('/v1/session').set(headers);
    expect(out.status).toBe(204);
    for (const cookie of cookiesOf(out)) expect(cookie).toMatch(/expires=Thu, 01 Jan 1970/);
    if (hasCookie) expect(await statusWith(sent(cookies))).toBe(401);
  });

  it('begins again after a log-out when the password is sent with the old cookie', async () => {
    const cookies = await logIn();
    await supertest(system.url()).delete('/v1/session').set(sent(cookies));
    const again = await logIn(sent(cookies));
    expect(contentsOf(again).id).not.toBe(contentsOf(cookies).id);
    expect(await statusWith(sent(again))).toBe(200);
  });

  it('can end, as GET /v1/session says, if it is a cookie or a password; a Bearer key or no key cannot', async () => {
    const who = async (headers: Record<string, string>, name = 'api') =>
      (await system.request('/v1/session', { headers }, name)).body;
    const viewer = { tenant: 'ops', roles: ['viewer'] };
    expect(await who(sent(await logIn()))).toEqual({ ...viewer, canEnd: true });
    expect(await who(basic(keys.viewer))).toEqual({ ...viewer, canEnd: true });
    expect(await who(bearer(keys.viewer))).toEqual({ ...viewer, canEnd: false });
    const everybody = { tenant: 'demo', roles: ['user', 'viewer', 'operator', 'admin'], canEnd: false };
    expect(await who({}, 'api-open')).toEqual(everybody);
  });

  it('stays valid when another site requests a log-out, which is refused', async () => {
    const cookies = await logIn();
    const headers = { ...sent(cookies), origin: 'https://evil.example.com' };
    const out = await system.request('/v1/session', { method: 'DELETE', headers });
    expect(out.body.code).toBe('origin_refused');
    expect(await statusWith(sent(cookies))).toBe(200);
  });
});

describe('throttling', () => {
  it('limits one tenant, gives the time to wait, and does not limit other tenants', async () => {
    const list = (key: string) => system.request('/v1/jobs', { headers: bearer(key) }, 'api-narrow');
    const answers = await Promise.all(Array.from({ length: 20 }, () => list(keys.user)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(5);
    expect(refused.length).toBeGreaterThan(0);
    for (const { headers, body } of refused) {
      expect(headers.get('retry-after')).toBe('1');
      expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(body).toMatchObject({ status: 429, code: 'too_many_requests' });
      expect(body.detail).toContain('at most 5 requests in a second from the tenant shop');
    }
    expect((await list(keys.rival)).status).toBe(200);
    await until(
      'the tenant may ask again',
      () => list(keys.user),
      ({ status }) => status === 200,
    );
  });

  it('counts the requests of a tenant over all routes', async () => {
    const burst = async () => {
      const begun = performance.now();
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          system.request(n % 2 ? '/v1/jobs' : '/v1/jobs/1', { headers: bearer(keys.rival) }, 'api-narrow'),
        ),
      );
      return { ms: performance.now() - begun, taken: answers.filter(({ status }) => status !== 429).length };
    };
    // A burst that takes longer than a second on a busy machine counts in two periods.
    const { taken } = await until('a burst within a second', burst, ({ ms }) => ms < 1_000);
    expect(taken).toBeLessThanOrEqual(5);
  });

  it('does not apply to the health checks', async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => system.get('/health/live', 'api-narrow')));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  });

  const guess = (headers: Record<string, string>, name: string) =>
    system.request('/v1/jobs', { headers: { ...bearer('key-that-nobody-has'), ...headers } }, name);

  it('makes an address wait that tries one wrong key after another, and still serves a right key from it', async () => {
    const guesser = from();
    const ask = (key: string) => system.request('/v1/jobs', { headers: { ...bearer(key), ...guesser } });
    for (let n = 0; n < 20; n += 1) expect((await ask(`key-that-nobody-has-${n}`)).status).toBe(401);
    const refused = await ask('key-that-nobody-has-20');
    expect(refused.body).toMatchObject({ status: 429, code: 'too_many_wrong_keys' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await ask(keys.user)).status).toBe(200);
    expect((await system.request('/health/ready', { headers: guesser })).status).toBe(200);
  });

  it('serves a right key while its address holds more connections without a key than are allowed', async () => {
    const silent: RawConnection[] = [];
    while (silent.length < 2_100) {
      silent.push(
        ...(await Promise.all(Array.from({ length: 100 }, () => RawConnection.open(system.url('api-bare'))))),
      );
    }
    expect((await system.request('/v1/jobs', { headers: bearer(keys.user) }, 'api-bare')).status).toBe(200);
    await until(
      'the oldest of them are closed',
      () => Promise.resolve(silent.map(({ isClosed }) => isClosed)),
      (closed) => closed.slice(0, 100).every(Boolean),
    );
    expect(silent.slice(200).some(({ isClosed }) => isClosed)).toBe(false);
    for (const { socket } of silent) socket.destroy();
  });

  it('ignores X-Forwarded-For when no proxy is trusted', async () => {
    for (let n = 0; n < 20; n += 1) await guess(from(), 'api-bare');
    expect((await guess(from(), 'api-bare')).status).toBe(429);
  });
});

describe('a write request', () => {
  const foreign = { origin: 'https://evil.example.com' };
  const post = (headers: Record<string, string>, name = 'api') => system.post('/v1/emails', anEmail(), headers, name);
  const user = basic(keys.user);

  it.each<[string, () => Record<string, string>]>([
    ['from another site', () => foreign],
    ['with an opaque origin', () => ({ origin: 'null' })],
    ['from a site whose name begins with our name', () => ({ origin: `${publicUrl}.evil.example.com` })],
    ['from our host at another port', () => ({ origin: 'http://127.0.0.1:1' })],
    ['from another site, without Origin', () => ({ 'sec-fetch-site': 'cross-site' })],
  ])('is refused %s', async (_, headers) => {
    for (const answer of [await post({ ...user, ...headers() }), await post(headers(), 'api-open')]) {
      expect(answer.body).toMatchObject({ status: 403, code: 'origin_refused' });
      expect(answer.status).toBe(403);
    }
  });

  it('is refused from another site with a session', async () => {
    const browser = supertest.agent(system.url('api-plain'));
    await browser.get('/v1/jobs').set(user);
    expect((await browser.post('/v1/emails').send(anEmail())).status).toBe(202);
    expect((await browser.post('/v1/emails').set(foreign).send(anEmail())).body.code).toBe('origin_refused');
  });

  it('is refused from another site on Bull Board', async () => {
    const clean = (headers: Record<string, string>, name = 'api') =>
      system.request('/admin/queues/api/queues/email/clean/completed', { method: 'PUT', headers }, name);
    const operator = basic(keys.operator);
    expect((await clean({ ...operator, ...foreign })).body.code).toBe('origin_refused');
    expect((await clean(foreign, 'api-open')).body.code).toBe('origin_refused');
    expect((await clean(operator)).status).toBe(405);
  });

  it.each<[string, () => Record<string, string>]>([
    ['from our own page', () => ({ ...user, origin: system.url(), 'sec-fetch-site': 'same-origin' })],
    ['from the page at PUBLIC_URL', () => ({ ...user, origin: publicUrl })],
    ['from a program without Origin', () => user],
    ['from another site with a Bearer key', () => ({ ...bearer(keys.user), ...foreign })],
  ])('is accepted %s', async (_, headers) => {
    expect((await post(headers())).status).toBe(202);
  });

  it('is refused from another site with a wrong Bearer key', async () => {
    expect((await post({ ...bearer('key-that-nobody-has'), ...from(), ...foreign })).status).toBe(403);
  });

  it('is accepted from our own page without keys; a read is accepted from any site', async () => {
    expect((await post({ origin: system.url('api-open') }, 'api-open')).status).toBe(202);
    expect((await system.request('/v1/jobs', { headers: { ...user, ...foreign } })).status).toBe(200);
  });

  it('is compared with the host that a trusted proxy names', async () => {
    const proxied = { 'x-forwarded-host': 'proxy.example.com', 'x-forwarded-proto': 'https' };
    const origin = { origin: 'https://proxy.example.com' };
    expect((await post({ ...user, ...proxied, ...origin })).status).toBe(202);
    expect((await post({ ...user, ...proxied, ...origin }, 'api-bare')).status).toBe(403);
  });
});

describe('the Host header, when no API keys are set,', () => {
  const ask = (host: string, path = '/v1/jobs', headers: Record<string, string> = {}) =>
    system.request(path, { headers: { host, ...headers } }, 'api-open');

  it.each([
    'localhost',
    'LOCALHOST:3000',
    'app.localhost',
    '127.0.0.1:80',
    '127.1.2.3',
    '[::1]:3000',
    'queue.example.com',
  ])('is accepted as %s', async (host) => expect((await ask(host)).status).toBe(200));

  it.each([
    'evil.example.com',
    'evil.example.com:3000',
    'localhost.evil.example.com',
    '127.0.0.1.evil.example.com',
    'queue.example.com.evil.example.com',
    '192.168.0.7:3000',
    'a@localhost',
  ])('is refused as %s, even with the same Origin, and the answer names PUBLIC_URL', async (host) => {
    for (const path of ['/v1/jobs', '/', '/admin/queues', '/docs', '/dev/mailbox', '/v1/nothing']) {
      const { status, body } = await ask(host, path, { origin: `http://${host}`, 'sec-fetch-site': 'same-origin' });
      expect([status, body.code, body.detail]).toEqual([
        421,
        'host_refused',
        expect.stringContaining('set PUBLIC_URL'),
      ]);
    }
  });

  it('is refused when it or X-Forwarded-Host is foreign', async () => {
    expect((await ask('evil.example.com', '/v1/jobs', { 'x-forwarded-host': 'localhost' })).status).toBe(421);
    expect((await ask('localhost', '/v1/jobs', { 'x-forwarded-host': 'evil.example.com' })).status).toBe(421);
  });

  it('may be any name when keys are set, and on the health checks', async () => {
    const headers = { ...bearer(keys.user), host: 'evil.example.com' };
    expect((await system.request('/v1/jobs', { headers })).status).toBe(200);
    expect((await ask('10.1.2.3', '/health/ready')).status).toBe(200);
  });
});
