import { Redis } from 'ioredis';
import { BrokerNotInstalled, type Broker, type RunningBroker, type StartOptions } from './broker';
import { findProgram } from './program';
import { startPrivately } from './start-privately';

const keepNothing = ['--save', '', '--appendonly', 'no'];

export const redis: Broker = {
  name: 'Redis',
  variable: 'REDIS_URL',
  howToGet: 'Install it (Debian: apt-get install redis-server) or Docker, or set REDIS_URL.',
  isInstalled: () => findProgram('redis-server') !== undefined,
  start: startRedis,
  addressAt: (port) => `redis://127.0.0.1:${port}`,
  ask: async (address) => {
    const client = new Redis(address, { lazyConnect: true, retryStrategy: null, connectTimeout: 1_000 });
    client.on('error', () => undefined); // The rejection reports it.
    try {
      await client.connect();
      await client.ping();
    } finally {
      client.disconnect();
    }
  },
  container: (port) => ['-p', `127.0.0.1:${port}:6379`, 'redis:7.4-alpine', 'redis-server', ...keepNothing],
};

/** Starts a Redis that stores nothing on disk: when killed, it loses everything. */
export async function startRedis(options: StartOptions = {}): Promise<RunningBroker> {
  const program = findProgram('redis-server');
  if (program === undefined) throw new BrokerNotInstalled(redis.howToGet);
  return startPrivately(redis, options, async ({ port, run }) => {
    await run(program, ['--port', `${port}`, '--bind', '127.0.0.1', ...keepNothing]);
  });
}
