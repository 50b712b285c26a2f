import { createServer } from 'node:net';

/**
 * Outside the range from which Linux takes ports for connections and for port 0 (32768 and above), so that no other
 * process takes a neighbour by chance.
 * @returns the first of `count` ports of 127.0.0.1, one after another, that are free now
 */
export async function neighbourPorts(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    const ports = Array.from({ length: count }, (_, place) => first + place);
    const areFree = await Promise.all(ports.map(isFree));
    if (areFree.every(Boolean)) return first;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
