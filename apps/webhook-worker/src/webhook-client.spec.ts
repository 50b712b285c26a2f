import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TargetGuard } from '@app/features/webhook';
import { WebhookClient } from './webhook-client';

const never = new AbortController().signal;

describe('the client of webhooks', () => {
  let server: Server;
  let port: number;
  let answer: RequestListener;
  let connections: number;
  const clients: WebhookClient[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => answer(request, response));
    server.on('connection', () => (connections += 1));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });

  beforeEach(() => {
    connections = 0;
    answer = (_, response) => response.end('thanks');
  });

  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function clientOf(guard: TargetGuard, times = { connectMs: 1_000, totalMs: 1_000 }): WebhookClient {
    const client = new WebhookClient(guard, times);
    clients.push(client);
    return client;
  }

  const letIn = () => new TargetGuard({ httpsOnly: false, allowedHosts: ['127.0.0.1'] });

  const post = (client = clientOf(letIn()), host = '127.0.0.1') =>
    client.post(`http://${host}:${port}/`, {}, '{}', never);

  it('posts, and keeps the first bytes of the answer', async () => {
    const seen: unknown[] = [];
    answer = (request, response) => {
      seen.push(request.method, request.headers['content-type']);
      response.writeHead(202).end('x'.repeat(5_000));
    };
    expect(await post()).toEqual({ status: 202, text: 'x'.repeat(512), retryAfterSeconds: undefined });
    expect(seen).toEqual(['POST', 'application/json']);
  });

  it('opens a connection for each request', async () => {
    const client = clientOf(letIn());
    for (let n = 0; n < 3; n += 1) await post(client);
    expect(connections).toBe(3);
  });

  it('a name that was public when it was given, and leads inside later, gets no connection', async () => {
    const leads = [['93.184.215.14'], ['127.0.0.1']];
    const guard = new TargetGuard({ httpsOnly: false, allowedHosts: [] }, () =>
      Promise.resolve(leads.shift()!.map((address) => ({ address, family: 4 }))),
    );
    // Our server listens on a port that is none of those.
    jest
      .spyOn(guard, 'checkUrl')
      .mockImplementation((text) => ({ url: new URL(text), hostname: new URL(text).hostname }));
    await guard.check(`http://rebinding.example.com:${port}/`);
    await expect(post(clientOf(guard), 'rebinding.example.com')).rejects.toMatchObject({ code: 'address' });
    expect(connections).toBe(0);
  });

  it('the address that was looked at is the one that is connected to', async () => {
    let lookups = 0;
    const guard = new TargetGuard({ httpsOnly: false, allowedHosts: ['name.example.com'] });
    Object.defineProperty(guard, 'lookup', {
      value: (_: string, options: { all?: boolean }, callback: (...found: unknown[]) => void) => {
        lookups += 1;
        if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
        else callback(null, '127.0.0.1', 4);
      },
    });
    expect((await post(clientOf(guard), 'name.example.com')).status).toBe(200);
    expect([lookups, connections]).toEqual([1, 1]);
  });

  it('an address that is not public is refused without a connection', async () => {
    const guard = new TargetGuard({ httpsOnly: false, allowedHosts: [] });
    await expect(clientOf(guard).post('http://127.0.0.1/', {}, '{}', never)).rejects.toMatchObject({ code: 'address' });
    expect(connections).toBe(0);
  });

  it('a redirect is an answer', async () => {
    let requests = 0;
    answer = (_, response) => {
      requests += 1;
      response.writeHead(307, { location: `http://127.0.0.1:${port}/inside` }).end();
    };
    expect(await post()).toMatchObject({ status: 307 });
    expect(requests).toBe(1);
  });

  it('an answer that never comes, and one that never ends, take their time and no more', async () => {
    answer = () => undefined;
    await expect(post(clientOf(letIn(), { connectMs: 1_000, totalMs: 100 }))).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    answer = (_, response) => void response.writeHead(200).write('so far');
    expect(await post(clientOf(letIn(), { connectMs: 1_000, totalMs: 1_500 }))).toMatchObject({
      status: 200,
      text: 'so far',
    });
  });

  it('headers without end are refused', async () => {
    answer = (_, response) => response.writeHead(200, { large: 'x'.repeat(100_000) }).end();
    await expect(post()).rejects.toThrow(/header/i);
  });

  it('reads how long to wait', async () => {
    answer = (_, response) => response.writeHead(503, { 'retry-after': '30' }).end();
    expect(await post()).toMatchObject({ status: 503, retryAfterSeconds: 30 });
    answer = (_, response) => response.writeHead(503, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }).end();
    expect(await post()).toMatchObject({ status: 503, retryAfterSeconds: undefined });
  });
});
