import { jobDefinitions } from '@app/features/catalogue';
import supertest from 'supertest';
import { bearer, keys, apiKeys } from '../support/keys';
import { redis as broker, startRedis } from '../../scripts/brokers/redis';
import { stranger } from '../support/stranger';
import { anEmail, brokerOf, onEachBackend, TestSystem } from '../support/system';
import { until } from '../support/until';

const nowhere = 'smtp://127.0.0.1:9';

/** The conformance suite pauses queues on every broker. */
describe('a queue', () => {
  let system: TestSystem;

  beforeAll(async () => {
    system = await TestSystem.start();
  });

  afterAll(() => system.stop());

  it('can be paused, purged and resumed by an operator', async () => {
    const act = (action: string, body: object = {}) => system.post(`/v1/queues/email/${action}`, body);
    const pause = { reason: 'the provider is down', by: expect.stringContaining('demo') };
    expect((await act('pause', { reason: pause.reason })).body).toMatchObject({ name: 'email', pause });
    expect((await act('pause', { reason: 'again' })).body).toMatchObject({ pause });
    const { items } = (await system.get('/v1/queues')).body;
    expect(items.filter((queue: { pause: unknown }) => queue.pause !== null)).toMatchObject([{ name: 'email', pause }]);

    const { id } = (await system.post('/v1/emails', anEmail())).body;
    expect((await act('purge', { confirm: 'emails' })).body).toMatchObject({ status: 400, code: 'invalid_body' });
    expect((await act('purge', { confirm: 'email' })).body).toEqual({ cancelled: 1, hasMore: false });
    await system.reaches(id, 'cancelled');

    const later = (await system.post('/v1/emails', anEmail())).body.id;
    await until(
      'the relay holds the job',
      async () => (await system.pool.query('SELECT FROM outbox WHERE held_from IS NOT NULL')).rowCount,
      (rows) => rows === 1,
    );
    expect((await act('resume')).body).toEqual({ name: 'email', pause: null });
    expect((await act('resume')).status).toBe(200);
    await system.reaches(later, 'completed');
    expect(await system.effects()).toEqual(new Map([[`<${later}@example.com>`, 1]]));

    const audit = (await system.get('/v1/audit?subject=email')).body.items;
    expect(audit.map(({ action }: { action: string }) => action)).toEqual([
      'queue.resume',
      'queue.purge',
      'queue.pause',
    ]);
    expect(await system.post('/v1/queues/nothing/pause', { reason: 'x' })).toMatchObject({
      status: 404,
      body: { code: 'queue_not_found' },
    });
  });
});

onEachBackend('dead letters', (backend) => {
  let system: TestSystem;

  beforeAll(async () => {
    system = await TestSystem.start({ backend });
  });

  afterAll(() => system.stop());

  it('contain a failed job, which runs again when an operator redrives it', async () => {
    await system.end('email-worker', 'SIGTERM');
    await system.launch('email-worker', 'email-worker', { SMTP_URL: nowhere });
    const { id } = (await system.post('/v1/emails', anEmail())).body;
    await system.reaches(id, 'failed');
    const letters = (await system.get('/v1/dead-letters?kind=email.send')).body;
    expect(letters).toMatchObject({
      items: [{ jobId: id, reason: 'attempts_exhausted', tenant: 'demo', raw: null, redrivenAt: null }],
      nextCursor: null,
    });

    await system.end('email-worker', 'SIGTERM');
    await system.launch('email-worker');
    const letter = letters.items[0].id;
    const unknown = '019e0000-0000-7000-8000-000000000000';
    const answer = await system.post('/v1/dead-letters/redrive', { ids: [letter, unknown] });
    expect(answer).toMatchObject({
      status: 202,
      body: { redriven: [{ id: letter, jobId: id }], refused: [{ id: unknown, code: 'not_found' }] },
    });
    await system.reaches(id, 'completed');
    expect(await system.effects()).toEqual(new Map([[`<${id}@example.com>`, 1]]));
    const again = await system.post('/v1/dead-letters/redrive', { ids: [letter] });
    expect(again.body).toMatchObject({ redriven: [], refused: [{ id: letter, code: 'not_found' }] });
    const after = (await system.get('/v1/dead-letters')).body.items[0];
    expect(after).toMatchObject({ id: letter, redrivenBy: expect.stringContaining('demo') });
    expect(Date.parse(after.redrivenAt)).toBeGreaterThan(Date.parse(after.at));
  });

  it('contain the bytes of an unreadable event of another service, while a readable event is handled', async () => {
    const before = (await system.effects()).size;
    const event = {
      specversion: '1.0',
      id: 'order-4711',
      source: 'https://shop.example.com/orders',
      type: 'email.send.v1',
    };
    const good = { ...event, data: anEmail('foreign') };
    const bad = { ...event, id: 'order-4712', data: { to: 'nobody' } };
    await stranger[brokerOf(backend)](system.brokerSettings, 'email', [good, good, bad]);
    await until(
      'the email is there',
      () => system.get('/dev/mailbox'),
      ({ body }) => body.items.some(({ to }: any) => to === 'userforeign@example.com'),
    );
    const letter = await until(
      'the other is dead-lettered',
      async () => (await system.get('/v1/dead-letters')).body.items.find(({ source }: any) => source === event.source),
      (found) => found !== undefined,
    );
    expect(letter).toMatchObject({
      reason: 'payload_invalid',
      kind: 'email.send',
      jobId: null,
    });
    expect(JSON.parse(Buffer.from(letter.raw, 'base64').toString('utf8'))).toMatchObject({ id: 'order-4712' });
    expect(letter.rawBytes).toBe(Buffer.from(letter.raw, 'base64').length);
    const refused = await system.post('/v1/dead-letters/redrive', { ids: [letter.id] });
    expect(refused.body).toMatchObject({ redriven: [], refused: [{ code: 'unreadable' }] });
    expect(await system.effects()).toHaveProperty('size', before + 1);
  });

  it('contain a refused email, of which an operator makes one new job with another address', async () => {
    const refused = { ...anEmail('refused'), to: 'nobody@example.invalid' };
    const { id } = (await system.post('/v1/emails', refused)).body;
    await system.reaches(id, 'failed');
    const letter = await letterOf(id);
    expect((await system.get(`/v1/dead-letters/${letter}`)).body).toMatchObject({
      jobId: id,
      state: 'failed',
      payload: { to: refused.to },
      errors: [{ attempt: 1, error: { code: 'refused_by_handler' } }],
      redrivenFrom: null,
    });
    const edit = (dead: string, to: string) =>
      system.post(`/v1/dead-letters/${dead}/redrive`, { payload: { ...refused, to } });
    expect(await edit(letter, 'nowhere')).toMatchObject({
      status: 400,
      body: { code: 'invalid_body', errors: [{ path: 'payload.to' }] },
    });
    expect((await edit(letter, 'a\u0000@example.com')).body).toMatchObject({ errors: [{ path: 'payload' }] });
    // A body that is not sent as JSON is not taken for "unchanged".
    const asText = { method: 'POST', body: '{}', headers: { 'Content-Type': 'text/plain' } };
    expect((await system.request(`/v1/dead-letters/${letter}/redrive`, asText)).status).toBe(400);

    const second = (await edit(letter, 'nobody@shop.invalid')).body.jobId;
    await system.reaches(second, 'failed');
    const next = await letterOf(second);
    expect((await system.get(`/v1/dead-letters/${next}`)).body).toMatchObject({ redrivenFrom: letter });

    const answers = await Promise.all([edit(next, 'ada@example.com'), edit(next, 'ada@example.com')]);
    const [made, late] = answers.toSorted((one, other) => one.status - other.status);
    expect([made, late]).toMatchObject([{ status: 202 }, { status: 409, body: { code: 'redriven' } }]);
    await system.reaches(made!.body.jobId, 'completed');
    expect((await system.effects()).get(`<${made!.body.jobId}@example.com>`)).toBe(1);
    expect((await system.get(`/v1/dead-letters/${next}`)).body).toMatchObject({
      state: 'failed',
      redrivenAs: made!.body.jobId,
    });
    expect(await system.post(`/v1/dead-letters/${next}/redrive`, {})).toMatchObject({
      status: 409,
      body: { code: 'redriven' },
    });
    expect((await system.get(`/v1/audit?subject=${next}`)).body.items).toMatchObject([
      { action: 'dead_letter.redrive_edited', detail: { jobId: second, newJobId: made!.body.jobId } },
    ]);
  });

  it('that were discarded are not redriven any more', async () => {
    const { id } = (await system.post('/v1/emails', { ...anEmail('discarded'), to: 'nobody@example.invalid' })).body;
    await system.reaches(id, 'failed');
    const letter = await letterOf(id);
    const discard = (dead: string, reason: string) => system.post(`/v1/dead-letters/${dead}/discard`, { reason });
    for (const reason of ['a test order', 'said twice']) {
      expect(await discard(letter, reason)).toMatchObject({ status: 200, body: { discardReason: 'a test order' } });
    }
    expect(await system.post(`/v1/dead-letters/${letter}/redrive`, {})).toMatchObject({
      status: 409,
      body: { code: 'discarded' },
    });
    expect((await system.post('/v1/dead-letters/redrive', { filter: { kind: 'email.send' } })).body.redriven).toEqual(
      [],
    );
    expect((await system.get('/v1/dead-letters?discarded=true')).body.items).toMatchObject([{ id: letter }]);
    expect((await system.get(`/v1/audit?subject=${letter}`)).body.items).toMatchObject([
      { action: 'dead_letter.discard', detail: { reason: 'a test order' } },
    ]);
    const { items } = (await system.get('/v1/dead-letters?redriven=true&limit=1')).body;
    expect(await discard(items[0].id, 'too late')).toMatchObject({ status: 409, body: { code: 'redriven' } });
  });

  async function letterOf(jobId: string): Promise<string> {
    const { items } = (await system.get(`/v1/dead-letters?search=${jobId}`)).body;
    expect(items).toHaveLength(1);
    return items[0].id;
  }
});

describe('operations', () => {
  let system: TestSystem;

  afterEach(() => system.stop());

  it('the list of dead letters has the size and the first bytes of each message, and one dead letter has all bytes', async () => {
    system = await TestSystem.start({ apps: ['api'], environment: { API_KEYS: apiKeys.join(',') } });
    await system.pool.query(
      `INSERT INTO dead_letter (broker, queue, kind, reason, detail, raw, source)
       SELECT 'kafka', 'email', repeat('k', 1000), 'malformed', repeat('d', 1000000),
              convert_to(repeat('x', 1048575) || (n % 10), 'UTF8'), repeat('s', 100000)
         FROM generate_series(1, 30) AS n`,
    );
    const get = (path: string, key: string = keys.viewer) => system.request(path, { headers: bearer(key) });
    const { status, body } = await get('/v1/dead-letters?limit=100');
    expect([status, body.items.length]).toEqual([200, 30]);
    expect(JSON.stringify(body).length).toBeLessThan(30 * 6_000);
    const [letter] = body.items;
    expect(letter.rawBytes).toBe(1_048_576);
    expect(Buffer.from(letter.raw, 'base64').toString()).toBe('x'.repeat(1_024));

    const raw = await supertest(system.url())
      .get(`/v1/dead-letters/${letter.id}/raw`)
      .set(bearer(keys.viewer))
      .buffer();
    expect(raw.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="${letter.id}.bin"`,
      'x-content-type-options': 'nosniff',
      'content-length': '1048576',
    });
    expect((raw.body as Buffer).subarray(0, -1).equals(Buffer.alloc(1_048_575, 'x'))).toBe(true);
    expect((await get(`/v1/dead-letters/${letter.id}/raw`, keys.user)).status).toBe(403);
    for (const id of ['019e0000-0000-7000-8000-000000000000', 'nonsense']) {
      expect(await get(`/v1/dead-letters/${id}/raw`)).toMatchObject({
        status: 404,
        body: { code: 'dead_letter_not_found' },
      });
    }
  });

  it('a job can be cancelled before it runs, and a finished job cannot', async () => {
    system = await TestSystem.start({ apps: ['api', 'relay'] });
    const { id } = (await system.post('/v1/emails', { ...anEmail(), options: { delayMs: 3_600_000 } })).body;
    const cancelled = await system.post(`/v1/jobs/${id}/cancel`, undefined);
    expect(cancelled).toMatchObject({ status: 202, body: { id, state: 'cancelled', error: { code: 'cancelled' } } });
    const again = await system.post(`/v1/jobs/${id}/cancel`, undefined);
    expect(again).toMatchObject({ status: 409, body: { code: 'job_final' } });
    const unknown = await system.post('/v1/jobs/019e0000-0000-7000-8000-000000000000/cancel', undefined);
    expect(unknown).toMatchObject({ status: 404, body: { code: 'job_not_found' } });
  });

  it('the digest is sent once per tick of its schedule', async () => {
    system = await TestSystem.start({
      environment: { DIGEST_CRON: '*/2 * * * * *', DIGEST_TO: 'ops@example.com' },
    });
    await system.launch('relay', 'relay-2');
    await system.post('/v1/emails', anEmail());
    const digests = async () =>
      (await system.get('/dev/mailbox')).body.items.filter(({ to }: any) => to === 'ops@example.com');
    const items = await until('two digests', digests, ({ length }) => length >= 2, 30_000);
    expect(new Set(items.map(({ subject }: any) => subject)).size).toBe(items.length);
    expect(items.map(({ text }: any) => text).join()).toContain('jobs were accepted');
  });

  it('Bull Board shows kinds and queues; retry redrives a job, remove cancels it, and other actions are refused', async () => {
    system = await TestSystem.start({
      apps: ['api', 'relay', 'email-worker'],
      environment: { SMTP_URL: nowhere, API_KEYS: apiKeys.join(',') },
    });
    const board = (path: string, method = 'GET', key: string = keys.operator) =>
      system.request(`/admin/queues/api/queues${path}`, { method, headers: bearer(key) });
    const shown = async (kind: string, key: string = keys.operator) =>
      (await board(`?activeQueue=${kind}&status=latest&jobsPerPage=10`, 'GET', key)).body.queues.find(
        ({ name }: any) => name === kind,
      );
    const failing = (await system.post('/v1/emails', anEmail(), bearer(keys.user))).body.id;
    const delayed = (
      await system.post('/v1/emails', { ...anEmail(), options: { delayMs: 3_600_000 } }, bearer(keys.user))
    ).body.id;
    const queue = await until(
      'one has failed, one waits for its time',
      async () => {
        await system.makeDue(failing);
        return shown('email.send');
      },
      ({ counts }) => counts.failed === 1 && counts.delayed === 1,
      60_000,
    );
    expect(queue).toMatchObject({ readOnlyMode: false, allowRetries: true, allowCompletedRetries: false });
    expect(queue.jobs.map(({ id }: any) => id).sort()).toEqual([failing, delayed].sort());
    // No payload: an operator does not see the emails of tenants.
    expect(JSON.stringify(queue)).not.toContain('user1@example.com');
    expect(await shown('email')).toMatchObject({ readOnlyMode: true, allowRetries: false });
    expect(await shown('email.send', keys.viewer)).toMatchObject({ readOnlyMode: true });

    expect((await board(`/email.send/${failing}/retry`, 'PUT', keys.viewer)).status).toBe(403);
    expect((await board(`/email.send/${failing}/retry`, 'PUT')).status).toBe(204);
    expect((await board(`/email.send/${failing}/retry`, 'PUT')).status).toBeGreaterThanOrEqual(400);
    expect((await board(`/email.send/${delayed}/clean`, 'PUT')).status).toBe(204);
    const job = await system.request(`/v1/jobs/${delayed}`, { headers: bearer(keys.user) });
    expect(job.body).toMatchObject({ state: 'cancelled' });
    const { rows } = await system.pool.query('SELECT redriven_by FROM dead_letter WHERE job_id = $1', [failing]);
    expect(rows).toEqual([{ redriven_by: 'ops (operator)' }]);

    for (const [method, path] of [
      ['PUT', '/email.send/pause'],
      ['PUT', '/email.send/empty'],
      ['PUT', '/email.send/obliterate'],
      ['POST', '/email.send/add'],
      ['PATCH', `/email.send/${delayed}/update-data`],
      ['PUT', '/email.send/clean/failed'],
      ['PUT', '/email.send/promote'],
      ['PUT', '/pause'],
    ] as const) {
      expect([path, (await board(path, method)).status]).toEqual([path, 405]);
    }
  });
});

describe('brokers', () => {
  let system: TestSystem;

  afterEach(async () => {
    if (!system.hasStopped) await system.stop();
  });

  const kinds = jobDefinitions.map(({ kind }) => kind);
  const queues = [...new Set(jobDefinitions.map(({ queue }) => queue))];
  const look = async () => (await system.get('/v1/brokers')).body.items;
  const withRedis = broker.isInstalled() ? it : it.skip;

  withRedis('an unreachable broker is down with a reason; brokers without an address are not configured', async () => {
    const redis = await startRedis();
    system = await TestSystem.start({ redisUrl: redis.url, apps: ['api'] });
    const brokers = await until('it is up', look, ([{ state }]) => state === 'up');
    expect(brokers).toMatchObject([
      {
        name: 'bullmq',
        capabilities: { priority: 'native', retry: 'bus' },
        queues: queues.map((name) => ({ name, depth: 0 })),
      },
      { name: 'rabbitmq', state: 'not_configured', queues: [] },
      { name: 'kafka', state: 'not_configured', queues: [] },
    ]);
    await redis.kill();
    const [bullmq] = await until('it is down', look, ([{ state }]) => state === 'down');
    expect(bullmq.reason).toContain('Redis is away');
    // The board shows what the ledger has, and does not wait for the broker.
    const names = (await system.get('/admin/queues/api/queues')).body.queues.map(({ name }: any) => name);
    expect(names).toEqual(kinds);
  });

  withRedis('a broker that was never reachable delays neither the list of brokers nor the board', async () => {
    system = await TestSystem.start({ redisUrl: 'redis://127.0.0.1:9', apps: ['api'] });
    expect((await look())[0]).toMatchObject({ name: 'bullmq', state: 'down' });
    expect((await system.get('/admin/queues/api/queues')).body.queues).toHaveLength(kinds.length);
  });

  it('a queue is down when a worker cannot read it, and has no worker when no worker reports', async () => {
    system = await TestSystem.start({ apps: ['api'] });
    const is = (state: string) =>
      until(
        `the queue is ${state}`,
        async () => (await look())[0].queues.find(({ name }: any) => name === 'email'),
        (queue) => queue.state === state,
      );
    expect(await is('no_worker')).toMatchObject({ reason: expect.stringContaining('No worker') });
    await system.launch('email-worker');
    expect(await is('up')).not.toHaveProperty('reason');
    await system.pool.query(
      `INSERT INTO queue_reader (process_id, broker, queue, trouble, seen_at)
       VALUES (gen_random_uuid(), 'bullmq', 'email', 'the key has another type', now())`,
    );
    expect((await is('down')).reason).toBe(
      '1 of 2 workers cannot take messages from this queue: the key has another type',
    );
    await system.end('email-worker', 'SIGTERM');
    await system.pool.query('DELETE FROM queue_reader WHERE trouble IS NOT NULL');
    await is('no_worker');
  });

  it('a job for a broker that is not configured is refused', async () => {
    system = await TestSystem.start({ apps: ['api'] });
    const answer = await system.post('/v1/emails', { ...anEmail(), options: { broker: 'kafka' } });
    expect(answer).toMatchObject({ status: 422, body: { code: 'broker_not_configured' } });
  });
});
