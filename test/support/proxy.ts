import { connect, createServer, type Socket } from 'node:net';
import { freePort } from '../../scripts/postgres/free-port';

/**
 * A TCP proxy that can close its connections and refuse new ones (`cut`), stop passing data on (`freeze`), or stop
 * only on its present connections and serve new ones (`silence`).
 */
export interface Proxy {
  readonly port: number;
  cut(): void;
  freeze(): void;
  /** Keeps the present connections open, accepts their data and passes nothing on. New connections work. */
  silence(): void;
  /** Passes everything on again. Frozen connections are closed, because their peers have given up. */
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
