import { connect } from 'node:net';
import { requestableBrokers } from '@app/contracts';
import { anEmail, TestSystem } from '../support/system';

const oneOf = (names: readonly string[]) => `expected ${names.length > 1 ? 'one of ' : ''}${names.join(', ')}`;

describe('bad input is refused with a problem document and stored nowhere:', () => {
  let system: TestSystem;

  beforeAll(async () => {
    system = await TestSystem.start({ apps: ['api'] });
  });

  afterAll(() => system.stop());

  afterEach(async () => {
    expect(await system.jobsByState()).toEqual({});
    expect((await system.get('/health/ready')).status).toBe(200);
  });

  const email = anEmail();

  it.each<[string, unknown, string, RegExp]>([
    ['an empty object', {}, 'to', /^is required$/],
    ['a list', [email], '', /JSON object/],
    ['null', null, '', /JSON/],
    ['a wrong type', { ...email, subject: 7 }, 'subject', /^expected text$/],
    ['a text that is not an address', { ...email, to: 'ada' }, 'to', /email/i],
    ['several addresses in one', { ...email, to: 'a@example.com, b@example.com' }, 'to', /email/i],
    ['CR LF in the address', { ...email, to: 'a@example.com\r\nBcc: b@example.com' }, 'to', /email/i],
    ['CR LF in the subject', { ...email, subject: 'Hi\r\nBcc: b@example.com' }, 'subject', /CR, LF/],
    ['LF in the subject', { ...email, subject: 'Hi\nBcc: b@example.com' }, 'subject', /CR, LF/],
    ['an over-long subject', { ...email, subject: 'x'.repeat(501) }, 'subject', /500/],
    ['an over-long text', { ...email, text: 'x'.repeat(100_001) }, 'text', /100000/],
    ['NUL in the text', { ...email, text: 'a\0b' }, 'text', /NUL/],
    ['half a surrogate pair', { ...email, text: 'a\ud83d' }, 'text', /Unicode/],
    ['no body at all', { to: email.to, subject: email.subject }, 'text', /text, html or template/],
    ['an unknown template', { to: email.to, subject: 'x', template: 'nope' }, 'template', /welcome/],
    ['a template and a text', { ...email, template: 'welcome', data: { name: 'A' } }, 'template', /together/],
    [
      'data of the wrong shape',
      { to: email.to, subject: 'x', template: 'welcome', data: { name: 7 } },
      'data.name',
      /^expected text$/,
    ],
    ['unknown data', { to: email.to, subject: 'x', template: 'welcome', data: { name: 'A', x: 1 } }, 'data', /x/],
    ['an unknown field', { ...email, cc: 'b@example.com' }, 'cc', /not a field/],
    [
      'a field called __proto__',
      JSON.parse('{"to":"a@example.com","subject":"x","text":"y","__proto__":{"admin":true}}'),
      '__proto__',
      /not a field/,
    ],
    ['options that are not an object', { ...email, options: 'now' }, 'options', /object/],
    ['an unknown option', { ...email, options: { delay: 1 } }, 'options.delay', /not a field/],
    ['a negative delay', { ...email, options: { delayMs: -1 } }, 'options.delayMs', /^must be at least 0$/],
    ['a fractional delay', { ...email, options: { delayMs: 1.5 } }, 'options.delayMs', /^expected a whole number$/],
    [
      'an endless delay',
      { ...email, options: { delayMs: Number.MAX_SAFE_INTEGER } },
      'options.delayMs',
      /^must be at most \d+$/,
    ],
    [
      'an invalid date',
      { ...email, options: { runAt: '2026-02-30T00:00:00Z' } },
      'options.runAt',
      /^expected a date and time with a zone/,
    ],
    [
      'a time without a zone',
      { ...email, options: { runAt: '2026-02-03T00:00:00' } },
      'options.runAt',
      /^expected a date and time with a zone/,
    ],
    [
      'a time too far in the future',
      { ...email, options: { runAt: '9999-12-31T00:00:00Z' } },
      'options.runAt',
      /366 days/,
    ],
    ['a time before 1970', { ...email, options: { runAt: '0000-01-01T00:00:00Z' } }, 'options.runAt', /1970/],
    [
      'NUL in a link',
      { to: email.to, subject: 'x', template: 'welcome', data: { name: 'A', confirmUrl: 'https://e.com/\0' } },
      'data.confirmUrl',
      /one line/,
    ],
    [
      'half a surrogate pair in a link',
      { to: email.to, subject: 'x', template: 'welcome', data: { name: 'A', confirmUrl: 'https://e.com/\ud800' } },
      'data.confirmUrl',
      /one line/,
    ],
    [
      'both a delay and a time',
      { ...email, options: { delayMs: 1, runAt: '2026-01-01T00:00:00Z' } },
      'options.runAt',
      /together/,
    ],
    ['an unknown priority', { ...email, options: { priority: 'urgent' } }, 'options.priority', /high/],
    ['an unknown broker', { ...email, options: { broker: 'sqs' } }, 'options.broker', /bullmq/],
  ])('%s', async (_, body, path, message) => {
    const answer = await system.post('/v1/emails', body);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid_body', type: 'urn:problem:invalid_body' });
    const fault = answer.body.errors.find((error: { path: string }) => error.path === path);
    expect({ errors: answer.body.errors, message: fault?.message }).toEqual({
      errors: answer.body.errors,
      message: expect.stringMatching(message),
    });
  });

  it('the document names all faults at once', async () => {
    const { body } = await system.post('/v1/emails', { to: 1, subject: 2, options: { delayMs: -1 } });
    expect(body.errors.map(({ path }: { path: string }) => path)).toEqual(
      expect.arrayContaining(['to', 'subject', 'options.delayMs']),
    );
  });

  it('the document names the broken rule with its message, for forms in other languages', async () => {
    const subject = (await system.post('/v1/emails', { ...email, subject: '' })).body.errors;
    expect(subject).toEqual([
      { path: 'subject', message: 'must not be empty', rule: 'min_length', params: { minimum: 1 } },
    ]);
    const sku = (await system.request('/v1/products/-', { method: 'PUT', body: '{}' })).body.errors;
    expect(sku).toEqual([expect.objectContaining({ path: 'sku', rule: 'sku' })]);
    const broker = (await system.post('/v1/emails', { ...email, options: { broker: 'kafka' } })).body.errors;
    expect(broker).toEqual([expect.objectContaining({ path: 'options.broker', rule: 'broker_not_configured' })]);
  });

  it.each([
    ['/v1/jobs?limit=x', 'limit', 'expected a number'],
    ['/v1/jobs?limit=0', 'limit', 'must be at least 1'],
    ['/v1/jobs?limit=1.5', 'limit', 'expected a whole number'],
    ['/v1/jobs?cursor=x', 'cursor', 'expected a UUID such as 0190163d-8694-739b-aea5-966c26f8ad91'],
    ['/v1/dead-letters?redriven=x', 'redriven', 'expected one of true, false'],
    ['/v1/dead-letters?broker=x', 'broker', oneOf(requestableBrokers)],
    ['/v1/products?limit=101', 'limit', 'must be at most 100'],
  ])('the document says in plain words what is wrong with %s', async (path, field, message) => {
    const { status, body } = await system.get(path);
    expect({ status, errors: body.errors }).toEqual({
      status: 400,
      errors: [expect.objectContaining({ path: field, message })],
    });
  });

  it('a known broker that is not configured is refused with 422', async () => {
    const { status, body } = await system.post('/v1/emails', { ...email, options: { broker: 'kafka' } });
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'broker_not_configured', errors: [{ path: 'options.broker' }] });
  });

  it.each([
    ['not JSON', '{"to":', 'application/json', 400, 'invalid_body'],
    ['a scalar', '"hello"', 'application/json', 400, 'invalid_body'],
    ['another content type', 'to=a', 'text/plain', 400, 'invalid_body'],
    ['an unknown charset', '{}', 'application/json; charset=klingon', 415, 'request_refused'],
    ['an oversize body', JSON.stringify({ text: 'x'.repeat(300_000) }), 'application/json', 413, 'body_too_large'],
    ['ten thousand levels', '['.repeat(10_000) + ']'.repeat(10_000), 'application/json', 400, 'invalid_body'],
  ])('%s', async (_, body, contentType, status, code) => {
    const answer = await system.request('/v1/emails', {
      method: 'POST',
      body,
      headers: { 'content-type': contentType },
    });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({ status, code });
  });

  it.each([
    ['GET', '/v1/nothing', 404, 'route_not_found'],
    ['DELETE', '/v1/emails', 404, 'route_not_found'],
    ['GET', '/v1/%E0%A4%A', 400, 'invalid_path'],
    ['GET', '/v1/jobs/7', 404, 'job_not_found'],
    ['GET', '/v1/jobs/019e0000-0000-7000-8000-000000000000', 404, 'job_not_found'],
    ['GET', '/v1/jobs?limit=0', 400, 'invalid_query'],
    ['GET', '/v1/jobs?limit=101', 400, 'invalid_query'],
    ['GET', '/v1/jobs?state=done', 400, 'invalid_query'],
    ['GET', '/v1/jobs?state[]=queued', 400, 'invalid_query'],
    ['GET', '/v1/jobs?cursor=abc', 400, 'invalid_query'],
    ['GET', '/v1/jobs?order=asc', 400, 'invalid_query'],
    ['GET', '/v1/jobs?kind=%00', 400, 'invalid_query'],
  ])('%s %s is %i %s', async (method, path, status, code) => {
    const answer = await system.request(path, { method });
    expect(answer.body).toMatchObject({ status, code });
    expect(answer.status).toBe(status);
  });

  it.each([
    ['+49', /E\.164|number/i],
    ['015112345678', /E\.164|number/i],
    ['+4915112345678\n', /E\.164|number/i],
  ])('an SMS to %j is refused', async (to, message) => {
    const { status, body } = await system.post('/v1/sms', { to, text: 'Hi' });
    expect(status).toBe(400);
    expect(body.errors).toEqual([expect.objectContaining({ path: 'to', message: expect.stringMatching(message) })]);
  });

  it('a connection that is closed in the middle of a body leaves the API ready', async () => {
    const { port, hostname } = new URL(system.url());
    const socket = connect(Number(port), hostname);
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
    socket.write(
      'POST /v1/emails HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"to":',
    );
    socket.destroy();
  });
});
