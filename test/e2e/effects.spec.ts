import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { anEmail, TestSystem } from '../support/system';
import { until } from '../support/until';

const finished = (system: TestSystem, id: string) =>
  until(
    `job ${id} is final`,
    async () => (await system.get(`/v1/jobs/${id}`)).body,
    (job) => ['completed', 'failed'].includes(job.state),
  );

describe('an email through an SMTP server', () => {
  let smtp: SMTPServer;
  let system: TestSystem;
  let received: Email[];
  /** The reply codes of the server for the next emails, in order; then 250. */
  let replies: number[];

  beforeAll(async () => {
    smtp = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData(stream, _session, callback) {
        void buffer(stream).then(async (bytes) => {
          received.push(await PostalMime.parse(bytes));
          const responseCode = replies.shift();
          callback(responseCode ? Object.assign(new Error('as the test says'), { responseCode }) : null);
        });
      },
    });
    await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve));
    const { port } = smtp.server.address() as AddressInfo;
    system = await TestSystem.start({
      environment: { SMTP_URL: `smtp://127.0.0.1:${port}`, SMTP_FROM: 'shop@shop.example' },
    });
  });

  beforeEach(() => {
    received = [];
    replies = [];
  });

  afterAll(async () => {
    await system.stop();
    await new Promise<void>((resolve) => smtp.close(resolve));
  });

  it('has both bodies, in Unicode, and a Message-ID made of the job id', async () => {
    const { body } = await system.post('/v1/emails', {
      to: 'ada@example.com',
      subject: '你好 – Grüße',
      text: '文本',
      html: '<p>文本</p>',
    });
    const job = await finished(system, body.id);
    expect(job).toMatchObject({ state: 'completed', result: { messageId: `<${body.id}@shop.example>` } });
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({
      messageId: `<${body.id}@shop.example>`,
      subject: '你好 – Grüße',
      text: '文本',
      html: '<p>文本</p>',
      from: { address: 'shop@shop.example' },
      to: [{ address: 'ada@example.com' }],
    });
    expect((await system.get('/dev/mailbox')).body.items).toEqual([]);
  });

  it('is sent again with the same Message-ID after a temporary refusal', async () => {
    replies = [451];
    const { body } = await system.post('/v1/emails', anEmail());
    const job = await finished(system, body.id);
    expect(job).toMatchObject({ state: 'completed', attempt: 2 });
    expect(received.map(({ messageId }) => messageId)).toEqual(Array(2).fill(`<${body.id}@shop.example>`));
  });

  it('fails at once after a permanent refusal, with the answer of the server', async () => {
    replies = [550];
    const { body } = await system.post('/v1/emails', anEmail());
    const job = await finished(system, body.id);
    expect(job).toMatchObject({ state: 'failed', attempt: 1, error: { code: 'refused_by_handler' } });
    expect(job.error.message).toContain('as the test says');
    expect(received).toHaveLength(1);
  });
});

describe('an email through an SMTP server that refuses the login', () => {
  it('is tried again and does not fail at once', async () => {
    const smtp = new SMTPServer({
      disabledCommands: ['STARTTLS'],
      onAuth: (_auth, _session, callback) => callback(Object.assign(new Error('Invalid login'), { responseCode: 535 })),
    });
    await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve));
    const { port } = smtp.server.address() as AddressInfo;
    const system = await TestSystem.start({ environment: { SMTP_URL: `smtp://user:wrong@127.0.0.1:${port}` } });
    const { body } = await system.post('/v1/emails', anEmail());
    const job = await until(
      'a second attempt',
      async () => (await system.get(`/v1/jobs/${body.id}`)).body,
      ({ attempt }) => attempt >= 2,
    );
    expect(['active', 'retrying', 'queued']).toContain(job.state);
    await system.stop();
    await new Promise<void>((resolve) => smtp.close(resolve));
  });
});

describe('an SMS through an HTTP provider that honours idempotency keys', () => {
  let provider: Server;
  let system: TestSystem;
  let requests: { headers: IncomingHttpHeaders; body: unknown }[];
  let replies: { status: number; headers?: Record<string, string> }[];

  beforeAll(async () => {
    provider = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        requests.push({ headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) });
        const { status, headers } = replies.shift() ?? { status: 200 };
        response.writeHead(status, { 'content-type': 'application/json', ...headers });
        response.end(JSON.stringify({ id: `sms-${requests.length}` }));
      });
    });
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
    const { port } = provider.address() as AddressInfo;
    system = await TestSystem.start({
      apps: ['api', 'relay', 'sms-worker'],
      environment: { SMS_URL: `http://127.0.0.1:${port}/messages`, SMS_TOKEN: 'the-token' },
    });
  });

  beforeEach(() => {
    requests = [];
    replies = [];
  });

  afterAll(async () => {
    await system.stop();
    provider.closeAllConnections();
    await new Promise((resolve) => provider.close(resolve));
  });

  const send = async () => {
    const { body } = await system.post('/v1/sms', { to: '+4915112345678', text: 'Hi' });
    return finished(system, body.id);
  };

  it('is sent again with the same key after a failure', async () => {
    replies = [{ status: 503 }];
    const job = await send();
    expect(job).toMatchObject({ state: 'completed', attempt: 2, result: { providerId: 'sms-2' } });
    expect(requests.map(({ headers }) => headers['idempotency-key'])).toEqual([job.id, job.id]);
    expect(requests[0]).toMatchObject({
      body: { to: '+4915112345678', text: 'Hi' },
      headers: { authorization: 'Bearer the-token', 'content-type': 'application/json' },
    });
  });

  it('is sent again after the time that the provider asks for', async () => {
    replies = [{ status: 429, headers: { 'retry-after': '1' } }];
    const job = await send();
    expect(job).toMatchObject({ state: 'completed', attempt: 2 });
    expect(Date.parse(job.finishedAt) - Date.parse(job.createdAt)).toBeGreaterThanOrEqual(1_000);
  });

  it('fails at once after a permanent refusal', async () => {
    replies = [{ status: 422 }];
    expect(await send()).toMatchObject({ state: 'failed', attempt: 1, error: { code: 'refused_by_handler' } });
  });
});
