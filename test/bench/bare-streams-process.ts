import { createServer, type ServerResponse } from 'node:http';
import { readSettings } from '@app/configuration';
import { runProcess } from '@app/observability';

/** The least that a server of event streams can do: no database, no resume, no bound. What is posted is written. */
const streams = new Map<string, ServerResponse>();

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write('\n');
    const path = request.url!;
    streams.set(path, response);
    // The next turn's may be here before the last one's has gone.
    response.on('close', () => {
      if (streams.get(path) === response) streams.delete(path);
    });
    return;
  }
  let body = '';
  request.setEncoding('utf8').on('data', (text: string) => (body += text));
  request.on('end', () => {
    const { paths, note } = JSON.parse(body) as { paths: string[]; note: string };
    for (const path of paths) {
      streams.get(path)!.write(`id: 1\nevent: progress\ndata: ${JSON.stringify({ percent: 1, note })}\n\n`);
    }
    response.writeHead(202, { 'Content-Length': 0 }).end();
  });
});

// Whoever posts is silent while it is the other's turn.
server.keepAliveTimeout = 0;

void runProcess(
  'bare-streams',
  () => readSettings(['PORT', 'HOST', 'SHUTDOWN_GRACE_MS']),
  async ({ PORT, HOST }) => {
    await new Promise<void>((resolve) => server.listen(PORT, HOST, resolve));
    return {
      stop: async () => {
        const closed = new Promise((resolve) => server.close(resolve));
        server.closeAllConnections();
        await closed;
      },
    };
  },
);
