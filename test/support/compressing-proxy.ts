import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { createGzip } from 'node:zlib';

/** A simple proxy: it compresses everything that it may (RFC 9111, 5.2.2.6), and does not flush gzip blocks. */
export async function startCompressingProxy(apiUrl: string): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer((asked, answer) => {
    const { method, url, headers } = asked;
    const passed = request(new URL(url!, apiUrl), { method: method!, headers, agent: false }, (received) => {
      const answered = { ...received.headers };
      const compresses = mayTransform(received);
      if (compresses) {
        delete answered['content-length'];
        answered['content-encoding'] = 'gzip';
      }
      answer.writeHead(received.statusCode!, answered);
      if (compresses) pipeline(received, createGzip(), answer, () => undefined);
      else pipeline(received, answer, () => undefined);
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    asked.pipe(passed);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function mayTransform({ headers }: IncomingMessage): boolean {
  return !/no-transform/i.test(headers['cache-control'] ?? '');
}
