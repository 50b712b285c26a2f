import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpSmsProvider } from './http-sms-provider';
import { SmsRefused } from './sms-provider';

describe('a provider of SMS over HTTP', () => {
  let server: Server;
  let answer: RequestListener;
  let provider: HttpSmsProvider;

  beforeAll(async () => {
    server = createServer((request, response) => answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    provider = new HttpSmsProvider(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, undefined);
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const send = (to = provider) =>
    to.send({ tenant: 'demo', to: '+491', text: 'Hi' }, 'key', new AbortController().signal);

  it('that is away is an error that says why', async () => {
    await expect(send(new HttpSmsProvider('http://127.0.0.1:1/', undefined))).rejects.toThrow(
      /^The SMS provider does not answer \(.*\S.*\)\.$/,
    );
  });

  it('that cuts the connection is an error that says why', async () => {
    answer = (request) => void request.socket.destroy();
    await expect(send()).rejects.toThrow(/^The SMS provider does not answer \(.*\S.*\)\.$/);
  });

  it('that refuses and cuts its answer off has refused', async () => {
    answer = (_, response) => {
      response.writeHead(422, { 'content-length': '1000' }).write('half');
      setTimeout(() => response.destroy(), 10);
    };
    await expect(send()).rejects.toThrow(SmsRefused);
  });

  it('that cuts off what it has accepted may be asked again', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('{"id"');
      setTimeout(() => response.destroy(), 10);
    };
    const error: unknown = await send().catch((thrown: unknown) => thrown);
    expect(error).not.toBeInstanceOf(SmsRefused);
    expect((error as Error).message).not.toBe('');
  });
});
