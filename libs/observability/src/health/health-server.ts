import { createServer } from 'node:http';
import type { Registry } from 'prom-client';
import { ConfigurationError, type Settings } from '@app/configuration';
import type { Readiness } from './readiness';

/**
 * Serves the health and the metrics of a process that has no API, if HEALTH_PORT is set: `/health/live`,
 * `/health/started`, `/health/ready` and `/metrics`. It asks for no key, so the port is for the network of the operators.
 * @throws ConfigurationError when the port cannot be used
 */
export async function serveHealth(
  { HEALTH_PORT: port, HOST: host }: Pick<Settings, 'HEALTH_PORT' | 'HOST'>,
  readiness: Readiness,
  registry: Registry,
): Promise<void> {
  if (port === undefined) return;
  const answers: Record<string, () => Promise<{ status: number; type: string; body: string }>> = {
    '/health/live': () => Promise.resolve(json(200, { status: 'up' })),
    '/health/started': async () => {
      const { status } = await readiness.report();
      return json(status === 'starting' ? 503 : 200, { status: status === 'starting' ? 'starting' : 'up' });
    },
    '/health/ready': async () => {
      const report = await readiness.report();
      return json(report.status === 'up' ? 200 : 503, report);
    },
    '/metrics': async () => ({ status: 200, type: registry.contentType, body: await registry.metrics() }),
  };
  const server = createServer((request, response) => {
    const [path = ''] = (request.url ?? '').split('?', 1);
    const answer = request.method === 'GET' ? answers[path] : undefined;
    const send = ({ status, type, body }: { status: number; type: string; body: string }) =>
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
    if (!answer) {
      send(json(404, { error: `Expected GET ${Object.keys(answers).join(', ')}.` }));
      return;
    }
    answer().then(send, (error: unknown) => send(json(500, { error: String(error) })));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', ({ message }) =>
      reject(new ConfigurationError([`HEALTH_PORT: expected a port that is free, got ${port} (${message}).`])),
    );
    server.listen(port, host, resolve);
  });
  server.unref();
}

const json = (status: number, body: object) => ({ status, type: 'application/json', body: JSON.stringify(body) });
