/**
 * Trap: while Redis is away, `queue.add` waits without a limit, and so does the request of the caller.
 *
 * ioredis keeps commands in memory until it is connected again ("offline queue"), and BullMQ sets no deadline. Each
 * request of an API then holds a socket and a promise until Redis is back; the API looks frozen, and its memory grows.
 * The cure: `enableOfflineQueue: false` on the connection of the producer. The `add` fails at once, and the API can
 * answer 503 or store the job elsewhere. Not on the connection of a worker: a worker should wait.
 *
 * Needs: redis
 * Expect:
 *   wrong: after 1 s without Redis: still waiting
 *   right: after 1 s without Redis: failed: Stream isn't writeable and enableOfflineQueue options is false
 *   right: Redis is back: added
 *   wrong: Redis is back: the request of long ago is added, too
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';

const redisUrl = new URL(process.env.REDIS_URL || 'redis://localhost:6379');
const name = `example-redis-away-${randomUUID()}`;

/** Stands between the client and Redis, so that Redis can be away. */
class Proxy {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server = createServer((client) => {
    const redis = connect(Number(redisUrl.port) || 6379, redisUrl.hostname);
    client.pipe(redis).pipe(client);
    for (const socket of [client, redis]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
    }
  });

  async listen(port = 0): Promise<number> {
    await once(this.server.listen(port, '127.0.0.1'), 'listening');
    return (this.server.address() as { port: number }).port;
  }

  async cut(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}

/** `once` of node:events would reject at the first error, and here errors are expected. */
function next(client: Redis, event: 'close' | 'ready'): Promise<void> {
  return new Promise((resolve) => client.once(event, () => resolve()));
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const proxy = new Proxy();
  const port = await proxy.listen();
  const url = new URL(redisUrl);
  url.host = `127.0.0.1:${port}`;
  const retryStrategy = (): number => 100;
  const waits = new Redis(url.href, { maxRetriesPerRequest: null, retryStrategy });
  const fails = new Redis(url.href, { maxRetriesPerRequest: 1, retryStrategy, enableOfflineQueue: false });
  for (const client of [waits, fails]) client.on('error', () => undefined);
  const careless = new Queue(name, { connection: waits });
  const careful = new Queue(name, { connection: fails });
  for (const queue of [careless, careful]) queue.on('error', () => undefined);
  await Promise.all([careless.waitUntilReady(), careful.waitUntilReady()]);

  const away = Promise.all([next(waits, 'close'), next(fails, 'close')]);
  await proxy.cut();
  await away;
  const outcomeOf = (adding: Promise<unknown>): Promise<string> =>
    adding.then(
      () => 'added',
      (error: unknown) => `failed: ${(error as Error).message}`,
    );
  const carelessly = outcomeOf(careless.add('email', {}));
  const wrong = await Promise.race([carelessly, delay(1_000, 'still waiting')]);
  console.log(`wrong: after 1 s without Redis: ${wrong}`);
  const right = await Promise.race([outcomeOf(careful.add('email', {})), delay(1_000, 'still waiting')]);
  console.log(`right: after 1 s without Redis: ${right}`);

  const back = Promise.all([next(waits, 'ready'), next(fails, 'ready')]);
  await proxy.listen(port);
  await back;
  const again = await outcomeOf(careful.add('email', {}));
  console.log(`right: Redis is back: ${again}`);
  const late = await carelessly;
  console.log(`wrong: Redis is back: the request of long ago is ${late}, too`);

  await careful.obliterate({ force: true });
  await Promise.all([careless.close(), careful.close()]);
  waits.disconnect();
  fails.disconnect();
  await proxy.cut();

  assert.equal(wrong, 'still waiting');
  assert.match(right, /^failed: .*enableOfflineQueue/);
  assert.deepEqual([again, late], ['added', 'added']);
}

void main();
