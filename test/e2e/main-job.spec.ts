import { anEmail, brokerOf, onEachBackend, TestSystem } from '../support/system';
import { until } from '../support/until';

onEachBackend('the system, from the request to the effect,', (backend) => {
  let system: TestSystem;

  beforeAll(async () => {
    system = await TestSystem.start({ backend, apps: ['api', 'relay', 'email-worker', 'sms-worker'] });
  });

  afterAll(() => system.stop());

  const finished = (id: string) =>
    until(
      `job ${id} is final`,
      async () => (await system.get(`/v1/jobs/${id}`)).body,
      (job) => ['completed', 'failed'].includes(job.state),
    );

  it('answers an email with 202 and the address of the job, and sends one message with an id made of the job id', async () => {
    const answer = await system.post('/v1/emails', anEmail());
    expect(answer.status).toBe(202);
    const { id } = answer.body;
    expect(answer.headers.get('location')).toBe(`/v1/jobs/${id}`);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      kind: 'email.send',
      version: 1,
      state: 'queued',
      broker: brokerOf(backend),
      place: 'outbox',
      attempt: 0,
      maxAttempts: 5,
      progress: { percent: 0, note: null },
      result: null,
      error: null,
      createdAt: expect.any(String),
      runAt: answer.body.createdAt,
      startedAt: null,
      finishedAt: null,
      links: { self: `/v1/jobs/${id}` },
    });

    const job = await finished(id);
    const messageId = `<${id}@example.com>`;
    expect(job).toMatchObject({ state: 'completed', attempt: 1, result: { messageId } });
    const { items } = (await system.get('/dev/mailbox')).body;
    expect(items.filter((message: { messageId: string }) => message.messageId === messageId)).toEqual([
      {
        channel: 'email',
        to: 'user1@example.com',
        subject: 'Number 1',
        text: 'Hello',
        messageId,
        jobId: id,
        at: expect.any(String),
      },
    ]);
  });

  it('sends an email from a template, with unescaped text and escaped HTML', async () => {
    const { body } = await system.post('/v1/emails', {
      to: 'ada@example.com',
      subject: 'Welcome',
      template: 'welcome',
      data: { name: 'Ada & <b>Bob</b>', confirmUrl: 'https://example.com/confirm?a=1&b=2' },
    });
    expect(await finished(body.id)).toMatchObject({ state: 'completed' });
    const { items } = (await system.get('/dev/mailbox')).body;
    const message = items.find(({ to }: { to: string }) => to === 'ada@example.com');
    expect(message.text).toContain('Hello Ada & <b>Bob</b>,');
    expect(message.text).toContain('https://example.com/confirm?a=1&b=2');
    expect(message.html).toContain('Hello Ada &amp; &lt;b&gt;Bob&lt;/b&gt;,');
  });

  it('sends an SMS', async () => {
    const { status, body } = await system.post('/v1/sms', { to: '+4915112345678', text: 'Your code is 1234' });
    expect(status).toBe(202);
    expect(await finished(body.id)).toMatchObject({ state: 'completed', result: { providerId: expect.any(String) } });
    const { items } = (await system.get('/dev/mailbox')).body;
    expect(items.find(({ channel }: { channel: string }) => channel === 'sms')).toMatchObject({
      to: '+4915112345678',
      text: 'Your code is 1234',
      messageId: body.id,
    });
  });

  it('keeps a delayed job scheduled until its time, with delayMs and with runAt', async () => {
    const inMs = (ms: number) => [
      { delayMs: ms },
      { runAt: new Date(Date.now() + ms).toISOString().replace('Z', '0000000000000+00:00') },
    ];
    const ids: string[] = [];
    for (const options of inMs(3_600_000)) {
      const { status, body } = await system.post('/v1/emails', { ...anEmail(), options });
      expect([status, body.state]).toEqual([202, 'scheduled']);
      ids.push(body.id);
    }
    const scheduled = (await system.get('/v1/jobs?state=scheduled')).body.items;
    expect(scheduled.map(({ id }: { id: string }) => id).sort()).toEqual(ids.sort());
    for (const id of ids) expect((await system.post(`/v1/jobs/${id}/cancel`, {})).status).toBe(202);

    const before = Date.now();
    for (const options of inMs(700)) {
      const { status, body } = await system.post('/v1/emails', { ...anEmail(), options });
      expect(status).toBe(202);
      expect(Date.parse((await finished(body.id)).startedAt) - before).toBeGreaterThanOrEqual(650);
    }
  });

  it('lists jobs newest first, page by page, by state and by kind', async () => {
    for (let n = 0; n < 4; n += 1) await finished((await system.post('/v1/emails', anEmail(n))).body.id);
    const all = (await system.get('/v1/jobs?limit=100')).body.items;
    expect(all.length).toBeGreaterThan(3);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { body } = await system.get(`/v1/jobs?limit=2${cursor && `&cursor=${cursor}`}`);
      seen.push(...body.items.map(({ id }: { id: string }) => id));
      cursor = body.nextCursor;
    }
    expect(seen).toEqual(all.map(({ id }: { id: string }) => id));
    expect(seen).toEqual([...seen].sort().reverse());
    const emails = (await system.get('/v1/jobs?kind=email.send&state=completed&limit=100')).body.items;
    expect(emails).toEqual(
      all.filter(({ kind, state }: Record<string, string>) => kind === 'email.send' && state === 'completed'),
    );
    expect(emails.length).toBeGreaterThan(3);
    expect((await system.get('/v1/jobs?kind=email.digest')).body.items).toEqual([]);
  });

  it('shows the queues in Bull Board as read-only', async () => {
    const board = await system.get('/admin/queues/api/queues');
    expect(board.body.queues.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['email', 'sms', 'email.send', 'sms.send']),
    );
    const email = board.body.queues.find(({ name }: { name: string }) => name === 'email');
    expect(email.readOnlyMode).toBe(true);
    const change = await system.request('/admin/queues/api/queues/email/pause', { method: 'PUT' });
    expect(change.status).toBe(405);
  });

  it('serves the API documents and the health checks', async () => {
    expect((await system.get('/docs')).status).toBe(200);
    const { body: openApi } = await system.get('/docs-json');
    expect(Object.keys(openApi.paths)).toEqual(
      expect.arrayContaining(['/v1/emails', '/v1/sms', '/v1/jobs', '/v1/jobs/{id}']),
    );
    const body = openApi.paths['/v1/emails'].post.requestBody.content['application/json'].schema;
    expect(Object.keys(body.properties)).toEqual(expect.arrayContaining(['to', 'subject', 'template', 'options']));
    expect((await system.get('/health/live')).body).toEqual({ status: 'up' });
    expect((await system.get('/health/ready')).body).toEqual({ status: 'up' });
  });
});
