import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpSmsProvider } from './http-sms-provider';
import { SmsRefused } from './sms-provider';

describe('HttpSmsProvider', () => {
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

  it('throws an error with the reason when the provider is unreachable', async () => {
    await expect(send(new HttpSmsProvider('http://127.0.0.1:1/', undefined))).rejects.toThrow(
      /^The SMS provider does not answer \(.*\S.*\)\.$/,
    );
  });

  it('throws an error with the reason when the provider closes the connection', async () => {
    answer = (request) => void request.socket.destroy();
    await expect(send()).rejects.toThrow(/^The SMS provider does not answer \(.*\S.*\)\.$/);
  });

  it('throws SmsRefused for a refusal whose body is cut off', async () => {
    answer = (_, response) => {
      response.writeHead(422, { 'content-length': '1000' }).write('half');
      setTimeout(() => response.destroy(), 10);
    };
    await expect(send()).rejects.toThrow(SmsRefused);
  });

  it('throws an error that allows a retry when an acceptance is cut off', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('{"id"');
      setTimeout(() => response.destroy(), 10);
    };
    const error: unknown = await send().catch((thrown: unknown) => thrown);
    expect(error).not.toBeInstanceOf(SmsRefused);
    expect((error as Error).message).not.toBe('');
  });
});
