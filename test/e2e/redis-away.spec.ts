import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { readQueueReaders } from '@app/ledger';
import type { RunningBroker } from '../../scripts/brokers/broker';
import { redis as broker, startRedis } from '../../scripts/brokers/redis';
import { Load } from '../support/load';
import { residentMb } from '../support/resident-mb';
import { TestSystem } from '../support/system';
import { until } from '../support/until';

const withRedis = broker.isInstalled() ? describe : describe.skip;

withRedis('a system whose broker fails', () => {
  describe('on bullmq-redis', () => {
    let redis: RunningBroker;
    let system: TestSystem;

    beforeEach(async () => {
      redis = await startRedis();
      system = await TestSystem.start({ redisUrl: redis.url });
    });

    afterEach(async () => {
      await system.stop();
      await redis.stop();
    });

    const allCompleted = (count: number) =>
      until(
        'every promised job is completed',
        () => system.jobsByState(),
        (states) => states['completed'] === count && Object.keys(states).length === 1,
        90_000,
      );

    it('loses no job when Redis without persistence is killed under load: the API accepts jobs and memory stays flat', async () => {
      const load = new Load(system, 16);
      await until(
        'work is going on',
        () => system.effects(),
        ({ size }) => size > 20,
      );
      await redis.kill();
      const atKill = load.accepted.size;
      await delay(1_000);
      const resident = (app: string) => residentMb(system.processes.get(app)!);
      const before = { api: resident('api'), relay: resident('relay') };
      await until(
        'a backlog',
        () => Promise.resolve(load.accepted.size),
        (size) => size > atKill + 400,
        30_000,
      );
      const after = { api: resident('api'), relay: resident('relay') };

      redis = await startRedis({ port: redis.port });
      const accepted = await load.stop();
      expect(load.refusals.size).toBe(0);
      await allCompleted(accepted.size);
      expect(after.api - before.api).toBeLessThan(60);
      expect(after.relay - before.relay).toBeLessThan(40);
      const effects = await system.effects();
      expect(effects.size).toBe(accepted.size);
    });

    it('dispatches the lost messages again after FLUSHALL under load', async () => {
      const load = new Load(system, 16);
      await until(
        'work is going on',
        () => system.effects(),
        ({ size }) => size > 20,
      );
      // Without a worker the queue fills. Then another client empties it.
      await system.end('email-worker', 'SIGTERM');
      const published = () => system.pool.query<{ rows: number }>('SELECT count(*)::int AS rows FROM outbox');
      await until(
        'a backlog in Redis',
        () => system.jobsByState(),
        ({ queued }) => (queued ?? 0) > 200,
      );
      const accepted = await load.stop();
      await until('all are published', published, ({ rows }) => rows[0]!.rows === 0);
      const client = new Redis(redis.url);
      await client.flushall();
      await client.quit();

      await system.launch('email-worker');
      await allCompleted(accepted.size);
      const effects = await system.effects();
      expect(effects.size).toBe(accepted.size);
      expect([...effects.values()].every((copies) => copies === 1)).toBe(true);
    });

    it('ends each process in order and soon while Redis is away', async () => {
      await redis.kill();
      const started = performance.now();
      expect(await Promise.all(['api', 'relay', 'email-worker'].map((name) => system.end(name, 'SIGTERM')))).toEqual([
        0, 0, 0,
      ]);
      expect(performance.now() - started).toBeLessThan(10_000);
    });

    it('starts while Redis is away, and runs the jobs when Redis is back', async () => {
      await system.end('relay', 'SIGTERM');
      await system.end('email-worker', 'SIGTERM');
      await redis.kill();
      await Promise.all([system.launch('relay'), system.launch('email-worker'), system.launch('api', 'api-2')]);
      const [away] = await until(
        'the worker reports why it cannot read its queue',
        () => readQueueReaders.run(system.pool),
        (readers) => readers.length > 0 && readers.every(({ failing }) => failing === 1),
      );
      expect(away!.trouble).toContain('ECONNREFUSED');
      const { status } = await system.post('/v1/emails', { to: 'a@example.com', subject: 'x', text: 'y' }, {}, 'api-2');
      expect(status).toBe(202);
      redis = await startRedis({ port: redis.port });
      await allCompleted(1);
      await until(
        'the worker reports that it can read',
        () => readQueueReaders.run(system.pool),
        (readers) => readers.every(({ failing }) => failing === 0),
      );
    });
  });
});
