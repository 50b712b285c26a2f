import { connect } from 'amqplib';
import { sendSms } from '@app/features/sms';
import { startProxy } from '../support/proxy';
import { stranger } from '../support/stranger';
import { anEmail, TestSystem, type Backend } from '../support/system';
import { until } from '../support/until';

jest.setTimeout(600_000);

const source = 'https://shop.example.com/orders';
/** One more than RabbitMQ delivers a message before it gives it up. */
const losses = 21;
const healthy = 12;
const patienceMs = 60_000;

const rabbitmqUrl = process.env['TEST_RABBITMQ_URL'];

(rabbitmqUrl === undefined ? describe.skip : describe)('events of another service that are only in flight', () => {
  const worker = 'email-worker';

  /**
   * Each loss finds all of them in flight and none begun, since PostgreSQL lets nobody write the key of a job.
   * @param lose the worker's hold on them; what it returns brings the worker back
   */
  async function loseInFlight(system: TestSystem, lose: () => Promise<() => Promise<unknown>>): Promise<void> {
    const connection = await connect(rabbitmqUrl!);
    const channel = await connection.createChannel();
    const { BROKER_PREFIX } = system.brokerSettings;
    /** How many are ready in the queue, and among what RabbitMQ has given up. */
    const ready = async (): Promise<number> => {
      const found = [
        await channel.checkQueue(`${BROKER_PREFIX}email`),
        await channel.checkQueue(`${BROKER_PREFIX}dead-letters`),
      ];
      return found.reduce((sum, { messageCount }) => sum + messageCount, 0);
    };
    const allAre = (where: string, count: number) =>
      until(`all are ${where}`, ready, (messages) => messages === count, patienceMs);

    const lock = await system.pool.connect();
    try {
      await lock.query('BEGIN');
      await lock.query('LOCK TABLE idempotency_key IN ACCESS EXCLUSIVE MODE');
      const events = Array.from({ length: healthy }, (_, n) => ({
        specversion: '1.0',
        id: `order-${n}`,
        source,
        type: 'email.send.v1',
        data: anEmail(n),
      }));
      await stranger.rabbitmq(system.brokerSettings, 'email', events);
      for (let loss = 0; loss < losses; loss += 1) {
        await allAre('in flight', 0);
        const bringBack = await lose();
        await allAre('on their queue again', healthy);
        await bringBack();
      }
    } finally {
      await lock.query('ROLLBACK');
      lock.release();
      await connection.close();
    }
  }

  async function allAreSentOnce(system: TestSystem): Promise<void> {
    await until(
      'all are jobs, and done',
      () => system.jobsByState(),
      ({ completed }) => completed === healthy,
      patienceMs,
    );
    expect([...(await system.effects()).values()]).toEqual(Array.from({ length: healthy }, () => 1));
    expect((await system.pool.query('SELECT reason, detail FROM dead_letter')).rows).toEqual([]);
  }

  it('are all done once after 21 kills of their worker', async () => {
    const system = await TestSystem.start({ backend: 'rabbitmq', apps: ['relay', worker] });
    try {
      await loseInFlight(system, async () => {
        await system.end(worker, 'SIGKILL');
        return () => system.launch(worker);
      });
      await allAreSentOnce(system);
    } finally {
      await system.stop();
    }
  });

  it('are all done once after 21 losses of the connection of their worker', async () => {
    const proxy = await startProxy(Number(new URL(rabbitmqUrl!).port || 5672));
    const system = await TestSystem.start({ backend: 'rabbitmq', apps: ['relay'] });
    try {
      const throughProxy = new URL(rabbitmqUrl!);
      throughProxy.hostname = '127.0.0.1';
      throughProxy.port = `${proxy.port}`;
      await system.launch(worker, worker, { RABBITMQ_URL: throughProxy.href });
      await loseInFlight(system, () => {
        proxy.cut();
        return Promise.resolve(() => {
          proxy.restore();
          return Promise.resolve();
        });
      });
      await allAreSentOnce(system);
    } finally {
      await system.stop();
      await proxy.close();
    }
  });
});

/** After so many processes that began an event and died, it is given up. */
const mostDeaths = 10;

describe.each(['rabbitmq', 'kafka'] as Backend[])('a message that kills its process each time, on %s', (backend) => {
  const isThere = process.env[backend === 'kafka' ? 'TEST_KAFKA_BROKERS' : 'TEST_RABBITMQ_URL'] !== undefined;
  const worker = 'test/crash/deadly-worker-process';
  const names = ['deadly', ...Array.from({ length: healthy }, (_, n) => `healthy ${n}`)];

  const kinds = [
    {
      what: 'a job',
      deaths: sendSms.retry.attempts,
      reason: 'lease_expired',
      queue: 'sms',
      type: 'sms.send.v1',
      dataOf: (text: string) => ({ to: '+4915112345678', text }),
    },
    {
      what: 'an event',
      deaths: mostDeaths,
      reason: 'killed_its_process',
      queue: backend === 'kafka' ? 'product.changed' : 'product.changed.search',
      type: 'product.changed.v1',
      dataOf: (name: string, n: number) => ({
        name,
        description: '',
        priceCents: 1,
        sku: `sku-${n}`,
        version: 1,
        updatedAt: '2026-01-01T00:00:00Z',
        changedBy: 'another service',
      }),
    },
  ];

  (isThere ? it : it.skip).each(kinds)(
    'is a dead letter after $deaths processes where it is $what, and its neighbours are done once',
    async ({ deaths, reason, queue, type, dataOf }) => {
      const system = await TestSystem.start({ backend, apps: ['relay'] });
      try {
        await system.pool.query('CREATE TABLE own_effect (name text NOT NULL)');
        const deadLetters = async () =>
          (await system.pool.query<{ reason: string }>('SELECT reason FROM dead_letter')).rows.map((row) => row.reason);
        const givenUp = until(
          'the dead letter',
          async () => (await deadLetters()).length,
          (letters) => letters > 0,
          550_000,
        ).then(() => 'given up');
        givenUp.catch(() => undefined);
        let died = 0;
        for (;;) {
          const { killed } = await system.launchDoomed(worker, worker, {});
          if (died === 0) {
            const events = names.map((name, n) => ({
              specversion: '1.0',
              id: `order-${n}`,
              source,
              type,
              tenant: 'test',
              data: dataOf(name, n),
            }));
            await stranger[backend as 'rabbitmq' | 'kafka'](system.brokerSettings, queue, events);
          }
          if ((await Promise.race([killed, givenUp])) === 'given up') break;
          died += 1;
          expect(died).toBeLessThanOrEqual(deaths);
        }
        await until(
          'its neighbours are done',
          async () =>
            (await system.pool.query<{ name: string }>('SELECT name FROM own_effect')).rows.map(({ name }) => name),
          (done) => done.length >= healthy,
          patienceMs,
        );
        const { rows } = await system.pool.query<{ name: string }>('SELECT name FROM own_effect');
        expect(rows.map(({ name }) => name).sort()).toEqual(names.slice(1).sort());
        expect(await deadLetters()).toEqual([reason]);
        expect(died).toBe(deaths);
      } finally {
        await system.stop();
      }
    },
  );
});
