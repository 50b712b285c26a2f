import { createServer, type ServerResponse } from 'node:http';
import { readSettings } from '@app/configuration';
import { runProcess } from '@app/observability';

/** The minimal server of event streams: no database, no resume, no limit. It writes what is posted. */
const streams = new Map<string, ServerResponse>();

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write('\n');
    const path = request.url!;
    streams.set(path, response);
    // The stream of the next turn may open before the stream of the last turn has closed.
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

// The client that posts sends nothing during the turn of the other contender, so its connection must not time out.
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
