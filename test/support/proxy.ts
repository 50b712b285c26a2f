import { connect, createServer, type Socket } from 'node:net';
import { freePort } from '../../scripts/postgres/free-port';

/**
 * A TCP proxy that can go away (`cut`), stay and say nothing any more (`freeze`), or forget the connections that it has
 * and serve new ones (`silence`).
 */
export interface Proxy {
  readonly port: number;
  cut(): void;
  freeze(): void;
  /** Keeps the connections of now and passes nothing on; what they are sent is taken. New ones are as ever. */
  silence(): void;
  /** Back to passing everything on. Connections that were frozen are broken off: their peers have given up. */
  restore(): void;
  close(): Promise<void>;
}

export async function startProxy(targetPort: number): Promise<Proxy> {
  const port = await freePort();
  const pairs = new Set<[Socket, Socket]>();
  let mode: 'pass' | 'cut' | 'freeze' = 'pass';

  const server = createServer((client) => {
    if (mode === 'cut') return client.destroy();
    const target = connect(targetPort, '127.0.0.1');
    const pair: [Socket, Socket] = [client, target];
    pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(pair);
        pair.forEach((end) => end.destroy());
      });
    }
    client.pipe(target);
    target.pipe(client);
    if (mode === 'freeze') pair.forEach((socket) => socket.unpipe().pause());
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const breakAll = () => pairs.forEach((pair) => pair.forEach((socket) => socket.destroy()));
  return {
    port,
    cut: () => {
      mode = 'cut';
      breakAll();
    },
    freeze: () => {
      mode = 'freeze';
      pairs.forEach((pair) => pair.forEach((socket) => socket.unpipe().pause()));
    },
    silence: () => pairs.forEach((pair) => pair.forEach((socket) => socket.unpipe().resume())),
    restore: () => {
      if (mode === 'freeze') breakAll();
      mode = 'pass';
    },
    close: async () => {
      breakAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
