import { gzipSync } from 'node:zlib';
import { apiKeys, bearer, keys } from '../support/keys';
import { inChunksOfOneByte, RawConnection } from '../support/raw-connection';
import { anEmail, TestSystem } from '../support/system';
import { until } from '../support/until';

const upload = 'multipart/form-data; boundary=b';
const json = 'application/json';
const png = '\x89PNG\r\n\x1a\n';
const partHead = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n';

let system: TestSystem;

beforeAll(async () => {
  system = await TestSystem.start({ apps: ['api'], environment: { API_KEYS: apiKeys.join(',') } });
});

afterAll(() => system.stop());

/**
 * Sends the head of a request, and a body if there is one. Waits until the server has answered and closed the
 * connection.
 */
async function answered(line: string, headers: Record<string, string | number>, body: string | Buffer = '') {
  const connection = await RawConnection.open(system.url());
  const begun = performance.now();
  connection.request(
    [`${line} HTTP/1.1`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)],
    body,
  );
  await connection.closed;
  const { status, code, received, isClosed } = connection;
  expect(isClosed).toBe(true);
  return { status, code, saysClose: /^Connection: close\r$/m.test(received), ms: performance.now() - begun, received };
}

const asUser = { Authorization: `Bearer ${keys.user}` };
const asViewer = { Authorization: `Bearer ${keys.viewer}` };

describe('a request whose body is announced and never sent', () => {
  const routes: [string, string][] = [
    ['POST /v1/emails', json],
    ['POST /v1/images', upload],
    ['POST /v1/nothing', json],
    ['PUT /admin/queues/api/queues/email.send/retry/failed', json],
    ['GET /health/live', json],
    ['POST /docs', json],
    ['POST /assets/x', 'application/octet-stream'],
  ];

  it.each(
    routes.flatMap(([line, type]) => [
      [line, type, 'Content-Length: 1000'],
      [line, type, 'Transfer-Encoding: chunked'],
    ]),
  )('is answered with 401 at once without a key, and closed: %s, %s, %s', async (line, type, length) => {
    const [name, value] = length.split(': ') as [string, string];
    const { status, code, saysClose, received } = await answered(line, { 'Content-Type': type, [name]: value });
    expect({ status, code, saysClose }).toEqual({ status: 401, code: 'unauthenticated', saysClose: true });
    expect(received).not.toContain('100 Continue');
  });

  it.each<[string, string, object, number, string]>([
    ['a role that the route refuses', 'POST /v1/emails', asViewer, 403, 'forbidden'],
    ['a role that the board refuses', 'PUT /admin/queues/api/queues/email/clean/failed', asViewer, 403, 'forbidden'],
    ['a role that may not upload', 'POST /v1/images', { ...asViewer, 'Content-Type': upload }, 403, 'forbidden'],
    ['an unknown route', 'POST /v1/nothing', asUser, 404, 'route_not_found'],
    ['a type that is not JSON', 'POST /v1/emails', { ...asUser, 'Content-Type': 'text/plain' }, 400, 'invalid_body'],
  ])('is refused at once for %s', async (_, line, headers, status, code) => {
    const all = { 'Content-Type': json, ...headers };
    const answer = await answered(line, { ...all, 'Content-Length': 1_000 });
    expect([answer.status, answer.code, answer.saysClose]).toEqual([status, code, true]);
  });

  it('gets 100 Continue only when the server will read the body', async () => {
    const expecting = { ...asUser, 'Content-Type': json, Expect: '100-continue' };
    const refused = await answered('POST /v1/emails', { ...expecting, 'Content-Length': 300_000 });
    expect([refused.status, refused.received]).toEqual([413, expect.not.stringContaining('100 Continue')]);
    const body = JSON.stringify(anEmail());
    const connection = await RawConnection.open(system.url());
    const headers = Object.entries({ ...expecting, 'Content-Length': body.length });
    connection.request(['POST /v1/emails HTTP/1.1', ...headers.map(([name, value]) => `${name}: ${value}`)]);
    await until(
      'it is asked for',
      () => Promise.resolve(connection.received),
      (text) => text.includes('100 Continue'),
    );
    connection.socket.write(body);
    await until(
      'it is accepted',
      () => Promise.resolve(connection.status),
      (status) => status !== undefined,
    );
    expect(connection.status).toBe(202);
    connection.socket.destroy();
  });
});

describe('a request whose body is too large', () => {
  it.each<[string, string, string, number]>([
    ['JSON', 'POST /v1/emails', json, 256 * 1024 + 1],
    ['an upload', 'POST /v1/images', upload, 11 * 1024 * 1024],
    ['anything', 'POST /v1/nothing', 'text/plain', 1_000_000_000_000],
  ])('is answered with 413 at its Content-Length, without waiting for a byte (%s)', async (_, line, type, length) => {
    const answer = await answered(line, { ...asUser, 'Content-Type': type, 'Content-Length': length });
    expect([answer.status, answer.code, answer.saysClose]).toEqual([413, 'body_too_large', true]);
  });

  it.each<[string, string, string, string]>([
    ['JSON', 'POST /v1/emails', json, '"'],
    ['an upload', 'POST /v1/images', upload, `${partHead}${png}`],
    ['an upload of another type', 'POST /v1/images', upload, `${partHead}plain text`],
    ['an upload in another field', 'POST /v1/images', upload, partHead.replace('"file"', '"image"')],
  ])('is cut off and not read to the end when it comes in endless chunks (%s)', async (_, line, type, begin) => {
    const connection = await RawConnection.open(system.url());
    const headers = { ...asUser, 'Content-Type': type, 'Transfer-Encoding': 'chunked' };
    connection.request([`${line} HTTP/1.1`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)]);
    const chunk = (text: string): string => `${Buffer.byteLength(text, 'latin1').toString(16)}\r\n${text}\r\n`;
    connection.socket.write(chunk(begin), 'latin1');
    const piece = chunk('x'.repeat(65_536));
    let sent = 0;
    const send = (): void => {
      while (!connection.isClosed && connection.socket.writable && connection.socket.write(piece, 'latin1'))
        sent += piece.length;
    };
    connection.socket.on('drain', send);
    send();
    await connection.closed;
    expect([413, 400]).toContain(connection.status);
    expect(connection.received).toMatch(/^Connection: close\r$/m);
    // Above the limit, only the bytes that were already in the buffers.
    expect(sent).toBeLessThan(40 * 1024 * 1024);
  });
});

it.each<[string, Record<string, string>]>([
  ['gzip', { 'Content-Encoding': 'gzip' }],
  ['br', { 'Content-Encoding': 'br' }],
  ['identity beside gzip', { 'Content-Encoding': 'gzip, identity' }],
])('a body in %s is refused with 415', async (_, encoding) => {
  const body = gzipSync(JSON.stringify(anEmail()));
  const headers = { ...asUser, 'Content-Type': json, 'Content-Length': body.length };
  for (const line of ['POST /v1/emails', 'POST /v1/nothing', 'PUT /admin/queues/api/queues/email/clean/failed']) {
    const answer = await answered(line, { ...headers, ...encoding }, body);
    expect([answer.status, answer.code, answer.saysClose]).toEqual([415, 'encoding_unsupported', true]);
  }
});

it.each<[string, string, string, string]>([
  ['JSON', 'POST /v1/emails', json, '{"to":'],
  ['an upload', 'POST /v1/images', upload, `${partHead}${png}`],
])('%s that stops in the middle is ended after 10 s with 408', async (_, line, type, begin) => {
  const headers = { ...asUser, 'Content-Type': type, 'Content-Length': 1_000 };
  const { status, code, saysClose, ms } = await answered(line, headers, Buffer.from(begin, 'latin1'));
  expect({ status, code, saysClose }).toEqual({ status: 408, code: 'body_too_slow', saysClose: true });
  expect(ms).toBeGreaterThan(9_000);
});

it('a body in thousands of one-byte chunks is cut off with 413', async () => {
  const body = JSON.stringify({ ...anEmail(), text: 'x'.repeat(20_000) });
  const headers = { ...asUser, 'Content-Type': json, 'Transfer-Encoding': 'chunked' };
  const answer = await answered('POST /v1/emails', headers, `${inChunksOfOneByte(body)}0\r\n\r\n`);
  expect([answer.status, answer.code, answer.saysClose]).toEqual([413, 'body_in_too_many_pieces', true]);
});

it('bodies from one address above the limit of bytes in flight get 429, and are accepted later', async () => {
  const length = 250_000;
  const headers = { ...asUser, 'Content-Type': json, 'Content-Length': length };
  const head = ['POST /v1/emails HTTP/1.1', ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
  const connections = await Promise.all(Array.from({ length: 100 }, () => RawConnection.open(system.url())));
  for (const connection of connections) connection.request(head);
  const refused = await until(
    'some are refused',
    () => Promise.resolve(connections.filter(({ status }) => status !== undefined)),
    ({ length: count }) => count >= 30,
  );
  for (const { status, code, received } of refused) {
    expect([status, code]).toEqual([429, 'too_many_bytes_in_flight']);
    expect(received).toMatch(/^Retry-After: 1\r$/m);
  }
  // When these connections are closed, bodies are accepted again.
  for (const { socket } of connections) socket.destroy();
  await until(
    'bodies are taken again',
    () => system.post('/v1/emails', anEmail(), bearer(keys.user)),
    ({ status }) => status === 202,
  );
});

it('a small body keeps its connection open, even when its content is refused', async () => {
  const connection = await RawConnection.open(system.url());
  const send = (body: string): void => {
    const headers = { ...asUser, 'Content-Type': json, 'Content-Length': body.length };
    connection.request(['POST /v1/emails HTTP/1.1', ...Object.entries(headers).map(([k, v]) => `${k}: ${v}`)], body);
  };
  const statuses = (): Promise<string[]> =>
    Promise.resolve([...connection.received.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, code]) => code!));
  send('{}');
  await until('the first answer', statuses, ({ length }) => length === 1);
  send(JSON.stringify(anEmail()));
  expect(await until('the second answer', statuses, ({ length }) => length === 2)).toEqual(['400', '202']);
  connection.socket.destroy();
});
