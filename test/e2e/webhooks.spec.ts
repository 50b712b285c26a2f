import { Webhook } from 'standardwebhooks';
import { everyRow } from '../support/every-row';
import { apiKeys, bearer, keys } from '../support/keys';
import { OtlpReceiver } from '../support/otlp-receiver';
import { TestSystem, type Answer } from '../support/system';
import { until } from '../support/until';
import { WebhookReceiver } from '../support/webhook-receiver';

const owner = bearer(keys.user);
const rival = bearer(keys.rival);
const apps = ['api', 'relay', 'sms-worker', 'webhook-worker'];
const environment = {
  WEBHOOK_ALLOW_HOSTS: '127.0.0.1',
  API_KEYS: apiKeys.join(),
  LOG_LEVEL: 'trace',
  // The tests count messages, so the lease is long: a busy machine must not look like a dead worker.
  LEASE_MS: '6000',
};
const aSms = { to: '+4915112345678', text: 'Hi' };

describe('webhooks', () => {
  let system: TestSystem;
  let receiver: WebhookReceiver;
  const receivers: WebhookReceiver[] = [];
  const collector = new OtlpReceiver();
  /** All secrets that were issued. */
  const secrets: string[] = [];
  const answers: Answer[] = [];

  beforeAll(async () => {
    const tracing = { OTEL_EXPORTER_OTLP_ENDPOINT: await collector.start(), OTEL_BSP_SCHEDULE_DELAY: '100' };
    system = await TestSystem.start({ apps, environment: { ...environment, ...tracing } });
  });

  beforeEach(async () => {
    receiver = await newReceiver();
  });

  afterEach(async () => {
    for (const { id } of (await ask('GET', '/v1/webhooks')).body.items) await ask('DELETE', `/v1/webhooks/${id}`);
  });

  afterAll(async () => {
    await Promise.all(receivers.map((each) => each.stop()));
    await system.stop();
    await collector.stop();
  });

  async function newReceiver(): Promise<WebhookReceiver> {
    const made = await WebhookReceiver.start();
    receivers.push(made);
    return made;
  }

  async function ask(method: string, path: string, body?: unknown, headers = owner): Promise<Answer> {
    const answer = await system.request(path, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    answers.push(answer);
    return answer;
  }

  async function create(url = receiver.url, wishes: object = {}): Promise<{ id: string; secret: string }> {
    const answer = await ask('POST', '/v1/webhooks', { url, ...wishes });
    expect(answer.status).toBe(201);
    answers.pop(); // This is the only answer that contains the secret.
    secrets.push(answer.body.secret);
    return answer.body;
  }

  const test = async (id: string): Promise<string> => (await ask('POST', `/v1/webhooks/${id}/test`)).body.id;

  const job = async (id: string) => (await ask('GET', `/v1/jobs/${id}`)).body;

  const ended = (id: string, ...states: string[]) =>
    until(
      `job ${id} is ${states.join(' or ')}`,
      () => job(id),
      ({ state }) => states.includes(state),
    );

  const deliveries = async (id: string) => (await ask('GET', `/v1/webhooks/${id}/deliveries`)).body.items;

  const heard = (by: WebhookReceiver, count: number) =>
    until(
      `${count} messages`,
      () => Promise.resolve(by.received.length),
      (length) => length >= count,
    );

  it('send one signed message with the result of a job to its tenant', async () => {
    const { id, secret } = await create();
    const sms = (await ask('POST', '/v1/sms', aSms)).body;
    await heard(receiver, 1);
    expect(receiver.isSignedWith(secret)).toBe(true);
    const finished = await job(sms.id);
    expect(JSON.parse(receiver.received[0]!.body)).toEqual({
      type: 'job.finished',
      timestamp: expect.stringMatching(/^\d{4}-/),
      data: {
        id: sms.id,
        kind: 'sms.send',
        state: 'completed',
        attempt: finished.attempt,
        error: null,
        finishedAt: expect.any(String),
      },
    });
    expect(Date.parse(JSON.parse(receiver.received[0]!.body).data.finishedAt)).toBe(Date.parse(finished.finishedAt));
    const [delivery] = await until(
      'the delivery is logged',
      () => deliveries(id),
      ([first]) => first?.state === 'completed',
    );
    expect(delivery).toMatchObject({
      webhookId: receiver.ids[0],
      type: 'job.finished',
      nextAttemptAt: null,
      attempts: [{ attempt: 1, status: 204, error: null, ms: expect.any(Number) }],
    });
    // A webhook delivery itself causes no message: the next message is the test that is requested now.
    await test(id);
    await heard(receiver, 2);
    expect(receiver.received.map(({ body }) => JSON.parse(body).type)).toEqual(['job.finished', 'webhook.test']);
  });

  it('leave the path of an endpoint, which may hold a token, out of the spans', async () => {
    const { id } = await create(`${receiver.url}/canary-3e1b`);
    await test(id);
    await heard(receiver, 1);
    await until(
      'the request has its span',
      () => Promise.resolve(collector.spans.map(({ attributes }) => attributes['url.full'])),
      (addresses) => addresses.includes(new URL(receiver.url).origin),
    );
    expect(JSON.stringify(collector.spans)).not.toContain('canary-3e1b');
  });

  it('send only the kinds and states that were requested', async () => {
    await create(receiver.url, { kinds: ['email.send'] });
    await create(receiver.url, { states: ['failed', 'cancelled'] });
    const cancelled = (await ask('POST', '/v1/sms', { ...aSms, options: { delayMs: 60_000 } })).body.id;
    await ask('POST', '/v1/sms', aSms).then(({ body }) => ended(body.id, 'completed'));
    await ask('POST', `/v1/jobs/${cancelled}/cancel`);
    await heard(receiver, 1);
    expect(receiver.received.map(({ body }) => JSON.parse(body).data)).toMatchObject([
      { id: cancelled, state: 'cancelled' },
    ]);
  });

  it('retry with the same webhook-id until the endpoint answers with 2xx', async () => {
    const { id, secret } = await create();
    receiver.replies = [
      { status: 500, body: 'not\0 today' },
      { status: 503, headers: { 'retry-after': '1' } },
    ];
    const jobId = await test(id);
    expect(await ended(jobId, 'completed')).toMatchObject({ attempt: 3, result: { status: 204 } });
    expect(receiver.ids).toEqual(Array(3).fill(receiver.ids[0]));
    expect([0, 1, 2].every((n) => receiver.isSignedWith(secret, n))).toBe(true);
    const [{ attempts, createdAt }] = await deliveries(id);
    const times = await job(jobId);
    expect(createdAt).toBe(times.createdAt);
    for (const { at } of attempts) {
      expect(Date.parse(at)).toBeGreaterThanOrEqual(Date.parse(times.createdAt));
      expect(Date.parse(at)).toBeLessThanOrEqual(Date.parse(times.finishedAt));
    }
    expect(attempts).toMatchObject([
      { attempt: 1, status: 500, answer: 'not today', error: 'The endpoint answered 500.' },
      { attempt: 2, status: 503, answer: '', error: 'The endpoint answered 503.' },
      { attempt: 3, status: 204, answer: '', error: null },
    ]);
  });

  it('dead-letter a message after the last attempt, and can send it again with the same webhook-id', async () => {
    const { id } = await create();
    receiver.isHanging = true;
    const jobId = await test(id);
    await heard(receiver, 1);
    await system.pool.query('UPDATE job SET max_attempts = 2 WHERE id = $1', [jobId]);
    receiver.isHanging = false;
    receiver.replies = [{ status: 500 }];
    for (const response of receiver.hanging) response.destroy();
    const failed = await ended(jobId, 'failed');
    expect(failed.error).toMatchObject({ code: 'attempts_exhausted' });
    const letters = (await ask('GET', '/v1/dead-letters?kind=webhook.deliver', undefined, bearer(keys.operator))).body
      .items;
    expect(letters).toMatchObject([{ jobId, reason: 'attempts_exhausted' }]);
    const again = await ask('POST', `/v1/webhooks/${id}/deliveries/${jobId}/resend`);
    expect(again.status).toBe(202);
    expect(again.headers.get('location')).toBe(`/v1/jobs/${again.body.id}`);
    await ended(again.body.id, 'completed');
    expect(receiver.ids).toEqual(Array(3).fill(receiver.ids[0]));
    const [second, first] = await deliveries(id);
    expect([second.jobId, first.jobId]).toEqual([again.body.id, jobId]);
    expect(first.attempts).toMatchObject([{ status: null, error: expect.any(String) }, { status: 500 }]);
    const page = (await ask('GET', `/v1/webhooks/${id}/deliveries?limit=1`)).body;
    expect(page).toMatchObject({ items: [{ jobId: again.body.id }], nextCursor: again.body.id });
    const next = (await ask('GET', `/v1/webhooks/${id}/deliveries?limit=1&cursor=${page.nextCursor}`)).body;
    expect(next).toMatchObject({ items: [{ jobId }], nextCursor: null });
  });

  it('disable an endpoint that answers 410 Gone, and send again after it was enabled', async () => {
    const { id } = await create();
    receiver.replies = [{ status: 410 }];
    expect(await ended(await test(id), 'failed')).toMatchObject({ attempt: 1 });
    const disabled = (await ask('GET', `/v1/webhooks/${id}`)).body;
    expect(disabled).toMatchObject({ disabledAt: expect.any(String), disabledReason: expect.stringContaining('410') });
    expect(await ended(await test(id), 'failed')).toMatchObject({
      error: { message: expect.stringContaining('disabled') },
    });
    const other = await newReceiver();
    await create(other.url);
    await ask('POST', '/v1/sms', aSms);
    await heard(other, 1);
    expect(receiver.received).toHaveLength(1);
    expect((await ask('POST', `/v1/webhooks/${id}/enable`)).body).toMatchObject({
      disabledAt: null,
      disabledReason: null,
    });
    await ended(await test(id), 'completed');
  });

  it('sign with both secrets while a secret is replaced', async () => {
    const { id, secret: first } = await create();
    const rotate = async (body?: object): Promise<{ secret: string; previousSecretUntil: string | null }> => {
      const { body: rotated } = await ask('POST', `/v1/webhooks/${id}/rotate-secret`, body);
      answers.pop();
      secrets.push(rotated.secret);
      return rotated;
    };
    const { secret: second, previousSecretUntil } = await rotate();
    const hoursLeft = (Date.parse(previousSecretUntil!) - Date.now()) / 3_600_000;
    expect(hoursLeft).toBeGreaterThan(23);
    expect(hoursLeft).toBeLessThan(24.01);
    await ended(await test(id), 'completed');
    expect([first, second].map((secret) => receiver.isSignedWith(secret))).toEqual([true, true]);
    expect(receiver.received[0]!.headers['webhook-signature']!.split(' ')).toHaveLength(2);
    const { secret: third } = await rotate({ keepPreviousHours: 1 });
    await ended(await test(id), 'completed');
    expect([first, second, third].map((secret) => receiver.isSignedWith(secret))).toEqual([false, true, true]);
    await system.pool.query(`UPDATE webhook_endpoint SET previous_secret_until = now() WHERE id = $1`, [id]);
    await ended(await test(id), 'completed');
    expect([second, third].map((secret) => receiver.isSignedWith(secret))).toEqual([false, true]);
    const { secret: fourth, previousSecretUntil: none } = await rotate({ keepPreviousHours: 0 });
    expect(none).toBeNull();
    await ended(await test(id), 'completed');
    expect([third, fourth].map((secret) => receiver.isSignedWith(secret))).toEqual([false, true]);
  });

  it('refuse a private or unusual URL at registration, always in the same words, which say what helps', async () => {
    const refusals = new Set<string>();
    for (const url of [
      'http://169.254.169.254/latest/meta-data/',
      'http://localhost/',
      'http://localhost:9999/hook',
      'http://[::1]/',
      'http://[fec0::1]/',
      'http://nowhere.invalid/',
      'https://shop.example.com:22/',
      'https://user:password@shop.example.com/',
    ]) {
      const { status, body } = await ask('POST', '/v1/webhooks', { url });
      expect([url, status, body.code]).toEqual([url, 422, 'webhook_url_refused']);
      expect(body.errors).toEqual([{ path: 'url', message: body.detail }]);
      refusals.add(body.detail);
    }
    const [refusal, ...others] = refusals;
    expect(others).toEqual([]);
    expect(refusal).toContain('WEBHOOK_ALLOW_HOSTS');
    expect(refusal).toContain('/dev/webhook-receiver');
  });

  it('check the address again at each delivery, and do not connect to a name that resolves to a private one', async () => {
    const { id } = await create();
    await system.pool.query('UPDATE webhook_endpoint SET url = $2 WHERE id = $1', [
      id,
      receiver.url.replace('127.0.0.1', '[::ffff:127.0.0.1]'),
    ]);
    const jobId = await test(id);
    const [{ attempts }] = await until(
      'an attempt',
      () => deliveries(id),
      ([delivery]) => delivery?.attempts.length > 0,
    );
    expect(attempts[0]).toMatchObject({
      status: null,
      error: expect.stringContaining('are all on the public Internet'),
    });
    expect(receiver.received).toEqual([]);
    expect(['retrying', 'queued', 'active']).toContain((await job(jobId)).state);
  });

  it('do not follow a redirect', async () => {
    const inside = await newReceiver();
    const { id } = await create();
    receiver.replies = [
      { status: 302, headers: { location: inside.url } },
      { status: 307, headers: { location: inside.url } },
    ];
    const jobId = await test(id);
    await ended(jobId, 'completed');
    expect((await deliveries(id))[0].attempts).toMatchObject([{ status: 302 }, { status: 307 }, { status: 204 }]);
    expect(inside.received).toEqual([]);
  });

  it('hide the webhooks of another tenant, and refuse to change them or send with them', async () => {
    const { id } = await create();
    const jobId = await test(id);
    await ended(jobId, 'completed');
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/test'],
      ['POST', '/rotate-secret'],
      ['POST', '/enable'],
      ['GET', '/deliveries'],
      ['POST', `/deliveries/${jobId}/resend`],
    ] as const) {
      const { status, body } = await ask(method, `/v1/webhooks/${id}${path}`, undefined, rival);
      expect([method, path, status, body.code]).toEqual([method, path, 404, 'webhook_not_found']);
    }
    expect((await ask('GET', '/v1/webhooks', undefined, rival)).body.items).toEqual([]);
    const theirs = await newReceiver();
    const { body: own } = await ask('POST', '/v1/webhooks', { url: theirs.url }, rival);
    answers.pop();
    secrets.push(own.secret);
    const foreign = await ask('POST', `/v1/webhooks/${own.id}/deliveries/${jobId}/resend`, undefined, rival);
    expect([foreign.status, foreign.body.code]).toEqual([404, 'delivery_not_found']);
    await ask('POST', '/v1/sms', aSms);
    await heard(receiver, 2);
    await ask('POST', '/v1/sms', aSms, rival);
    await heard(theirs, 1);
    expect([receiver.received.length, theirs.received.length]).toEqual([2, 1]);
    await ask('DELETE', `/v1/webhooks/${own.id}`, undefined, rival);
  });

  it('deliver to other endpoints while one endpoint does not answer', async () => {
    receiver.isHanging = true;
    const { id } = await create();
    const other = await newReceiver();
    const quick = await create(other.url);
    // More messages than the worker has slots.
    for (let n = 0; n < 26; n += 1) await Promise.all([1, 2, 3, 4].map(() => test(id)));
    await heard(receiver, 5);
    await Promise.all([1, 2].map(() => test(quick.id)));
    await heard(other, 2);
    expect(receiver.received).toHaveLength(5);
    expect(receiver.hanging.size).toBe(5);
  });

  it('deliver to another tenant while twenty endpoints of one tenant do not answer', async () => {
    const hanging = await newReceiver();
    hanging.isHanging = true;
    const endpoints = [];
    for (let n = 0; n < 20; n += 1) endpoints.push((await create(hanging.url)).id);
    // More messages than the worker has slots, to endpoints that each have their own slots.
    await Promise.all(endpoints.flatMap((id) => Array.from({ length: 6 }, () => test(id))));
    await heard(hanging, 20);
    const { body: own } = await ask('POST', '/v1/webhooks', { url: receiver.url }, rival);
    answers.pop();
    secrets.push(own.secret);
    await ask('POST', `/v1/webhooks/${own.id}/test`, undefined, rival);
    await heard(receiver, 1);
    // The tenant holds at most its own slots: the message of the other tenant did not wait for one of them.
    expect(hanging.hanging.size).toBeGreaterThan(0);
    expect(hanging.hanging.size).toBeLessThanOrEqual(20);
    await ask('DELETE', `/v1/webhooks/${own.id}`, undefined, rival);
  });

  it('cancel the pending deliveries of a deleted endpoint', async () => {
    const { id } = await create();
    receiver.replies = Array.from({ length: 20 }, () => ({ status: 503, headers: { 'retry-after': '60' } }));
    const jobId = await test(id);
    await ended(jobId, 'retrying');
    expect((await ask('DELETE', `/v1/webhooks/${id}`)).status).toBe(204);
    expect((await job(jobId)).state).toBe('cancelled');
    expect((await ask('GET', `/v1/webhooks/${id}/deliveries`)).status).toBe(404);
  });

  it('send a message again with the same webhook-id when the worker died after its arrival', async () => {
    const { id } = await create();
    await system.end('webhook-worker', 'SIGKILL');
    const { killed } = await system.launchDoomed('webhook-worker', 'doomed', { FAIL_POINT: 'handled:1' });
    const jobId = await test(id);
    // Either completion and attempt were committed together, or neither was.
    await killed;
    await system.launch('webhook-worker');
    await ended(jobId, 'completed');
    expect(new Set(receiver.ids).size).toBe(1);
    expect(receiver.ids.length).toBeLessThanOrEqual(2);
  });

  it('allow at most twenty endpoints per tenant, even with concurrent requests', async () => {
    for (let n = 0; n < 19; n += 1) await create();
    const last = await Promise.all([1, 2].map(() => ask('POST', '/v1/webhooks', { url: receiver.url })));
    answers.splice(-2);
    secrets.push(...last.flatMap(({ body }) => body.secret ?? []));
    expect(last.map(({ status }) => status).sort()).toEqual([201, 409]);
  });

  it('show each secret once, and store and log it nowhere in plain text', async () => {
    await create();
    expect(secrets.length).toBeGreaterThan(10);
    const shown = secrets.flatMap((secret) => [secret, secret.slice('whsec_'.length)]);
    const rows = await everyRow(system.databaseUrl);
    expect(rows).toContain('webhook_endpoint');
    for (const text of [rows, JSON.stringify(answers.map(({ body }) => body)), system.allOutput]) {
      expect(shown.filter((secret) => text.includes(secret))).toEqual([]);
    }
    expect(system.allOutput).toContain('webhook-worker: {"level"');
  });
});

(process.env['TEST_RABBITMQ_URL'] ? describe : describe.skip)('webhooks on RabbitMQ', () => {
  it('send the end of a job once to each of two endpoints', async () => {
    const system = await TestSystem.start({
      apps,
      environment: { ...environment, LOG_LEVEL: 'warn' },
      backend: 'rabbitmq',
    });
    const receivers = [await WebhookReceiver.start(), await WebhookReceiver.start()];
    const secrets: string[] = [];
    for (const { url } of receivers) {
      const { body } = await system.request('/v1/webhooks', {
        method: 'POST',
        headers: owner,
        body: JSON.stringify({ url }),
      });
      secrets.push(body.secret);
    }
    await system.post('/v1/sms', aSms, owner);
    await until(
      'both have heard',
      () => Promise.resolve(receivers.map(({ received }) => received.length)),
      (counts) => counts.every((count) => count === 1),
    );
    expect(receivers.map((receiver, n) => receiver.isSignedWith(secrets[n]!))).toEqual([true, true]);
    expect(receivers[0]!.ids).toEqual(receivers[1]!.ids);
    const { rows } = await system.pool.query(`SELECT broker, state::text FROM job WHERE kind = 'webhook.deliver'`);
    expect(rows.map(({ broker }) => broker)).toEqual(['rabbitmq', 'rabbitmq']);
    await Promise.all(receivers.map((receiver) => receiver.stop()));
    await system.stop();
  });
});

describe('the built-in receiver', () => {
  let system: TestSystem;

  beforeAll(async () => {
    // The default configuration: no API keys, and no allowed hosts.
    system = await TestSystem.start({ apps: ['relay'] });
    await system.launch('api');
    await system.launch('webhook-worker', 'webhook-worker', { PORT: new URL(system.url()).port });
  });

  afterAll(() => system.stop());

  const read = async () => (await system.get('/dev/webhook-receiver')).body;

  it('accepts the messages of a webhook with its URL when their signature is valid', async () => {
    const { url, items } = await read();
    expect([url, items]).toEqual([expect.stringMatching(/^http:\/\/localhost:\d+\/dev\/webhook-receiver$/), []]);
    const { status, body } = await system.post('/v1/webhooks', { url });
    expect(status).toBe(201);
    const { body: sent } = await system.post(`/v1/webhooks/${body.id}/test`, {});
    const job = await until(
      'the message is delivered',
      async () => (await system.get(`/v1/jobs/${sent.id}`)).body,
      ({ state }) => state === 'completed',
    );
    expect(job.result).toEqual({ status: 204 });
    const [received, ...others] = (await read()).items;
    expect(others).toEqual([]);
    expect(received.body).toMatchObject({ type: 'webhook.test', data: { webhook: body.id } });

    const signed = (bytes: string, secret = body.secret as string) => {
      const at = new Date();
      return {
        'webhook-id': 'again',
        'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
        'webhook-signature': new Webhook(secret).sign('again', at, bytes),
      };
    };
    const post = async (text: string, headers: Record<string, string>) =>
      (await fetch(`${system.url()}/dev/webhook-receiver`, { method: 'POST', body: text, headers })).status;
    // The signature covers the bytes, as the official library makes it.
    expect(await post('{ "spaced" : 1 }', signed('{ "spaced" : 1 }'))).toBe(204);
    expect(await post('{"spaced":1}', signed('{ "spaced" : 1 }'))).toBe(401);
    expect(await post('{}', signed('{}', `whsec_${Buffer.alloc(32).toString('base64')}`))).toBe(401);
    expect(await post('{}', {})).toBe(401);
    expect(await post('x'.repeat(65 * 1024), {})).toBe(413);
    expect((await read()).items).toHaveLength(2);
  });

  it('is the only allowed URL of its host, and only exactly', async () => {
    const { url } = await read();
    for (const other of [
      `${url}?a=1`,
      `${url}/`,
      url.replace('/dev/webhook-receiver', '/v1/jobs'),
      'http://localhost/',
    ]) {
      const { status, body } = await system.post('/v1/webhooks', { url: other });
      expect([other, status, body.code]).toEqual([other, 422, 'webhook_url_refused']);
    }
  });

  it('answers 404 in production, and its URL is refused', async () => {
    await system.launch('api', 'api-production', {
      NODE_ENV: 'production',
      API_KEYS: apiKeys.join(),
      SIGNING_SECRET: 'a secret of at least 32 characters',
    });
    const { status } = await system.request('/dev/webhook-receiver', { headers: owner }, 'api-production');
    expect(status).toBe(404);
    const { url } = await read();
    const answer = await system.post('/v1/webhooks', { url }, owner, 'api-production');
    expect(answer.status).toBe(422);
    expect(answer.body.detail).not.toContain('localhost');
  });
});
