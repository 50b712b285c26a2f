import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Broker, RunningBroker } from '../../scripts/brokers/broker';
import { kafka } from '../../scripts/brokers/kafka';
import { rabbitmq } from '../../scripts/brokers/rabbitmq';
import { freePort } from '../../scripts/postgres/free-port';
import { GatedMailServer } from '../support/gated-mail-server';
import { Load } from '../support/load';
import { startProxy, type Proxy } from '../support/proxy';
import { residentMb } from '../support/resident-mb';
import { TestSystem, type Backend } from '../support/system';
import { until } from '../support/until';

interface Killed {
  readonly backend: Backend;
  readonly broker: Broker;
  /** The maximum time from the return of the broker until jobs run that were accepted while it was away. */
  readonly goesOnWithinMs: number;
}

const slackMs = 1_000;
/** The maximum back-off of the relay. */
const backOffMs = 2_000;
/** The session time-out of Kafka. A member that comes back with another name has to wait for it. */
const sessionMs = 6_000;
/** How long a consumer may take to reconnect: five tries of kafkajs, the pause after them, and a connection. */
const askAgainMs = 5 * 500 + 500 + 1_500;

const all: readonly Killed[] = [
  // The driver tries to connect each second.
  { backend: 'rabbitmq', broker: rabbitmq, goesOnWithinMs: 1_000 + backOffMs + slackMs },
  { backend: 'kafka', broker: kafka, goesOnWithinMs: askAgainMs + sessionMs + slackMs },
];

/** RabbitMQ writes the name of a new queue to the disk half a second late. */
const untilQueuesAreKeptMs = 2_000;

describe('a system whose broker is killed', () => {
  for (const { backend, broker, goesOnWithinMs } of all) {
    (broker.isInstalled() ? describe : describe.skip)(`on ${backend}`, () => {
      let folder: string;
      let proxy: Proxy;
      let running: RunningBroker;
      let system: TestSystem;

      const start = async (port: number): Promise<void> => {
        running = await broker.start({ port, dataFolder: folder, advertisedPort: proxy.port });
      };

      const startSystem = async (environment: NodeJS.ProcessEnv = {}): Promise<void> => {
        const address = { [broker.variable]: broker.addressAt(proxy.port) };
        // No worker dies here, so the lease may be long: a worker that is slow for a moment keeps its jobs.
        system = await TestSystem.start({ backend, environment: { ...address, LEASE_MS: '6000', ...environment } });
      };

      const workGoesOn = (more = 20) => {
        const before = system.effects().then(({ size }) => size);
        return until(
          'work is going on',
          async () => (await system.effects()).size - (await before),
          (effects) => effects > more,
        );
      };

      const completed = (count: number) =>
        until(
          'every promised job is completed',
          () => system.jobsByState(),
          (states) => states['completed'] === count && Object.keys(states).length === 1,
          90_000,
        );

      const outbox = async () => (await system.pool.query('SELECT FROM outbox')).rowCount;

      beforeAll(async () => {
        folder = mkdtempSync(join(tmpdir(), 'node-message-queue-killed-'));
        const port = await freePort();
        proxy = await startProxy(port);
        await start(port);
      });

      afterEach(() => system.stop());

      afterAll(async () => {
        await running.stop();
        await proxy.close();
        rmSync(folder, { recursive: true, force: true });
      });

      it('under load keeps accepting jobs with flat memory, and loses and doubles none', async () => {
        await startSystem();
        const load = new Load(system, 16);
        await workGoesOn();
        await delay(untilQueuesAreKeptMs);
        await running.kill();

        const atKill = load.accepted.size;
        await delay(1_000);
        const resident = (app: string) => residentMb(system.processes.get(app)!);
        const before = { api: resident('api'), relay: resident('relay'), worker: resident('email-worker') };
        await until(
          'a backlog',
          () => Promise.resolve(load.accepted.size),
          (size) => size > atKill + 400,
          60_000,
        );
        expect(load.refusals).toEqual(new Map());
        expect(resident('api') - before.api).toBeLessThan(60);
        expect(resident('relay') - before.relay).toBeLessThan(40);
        expect(resident('email-worker') - before.worker).toBeLessThan(40);

        await start(running.port);
        const backAt = performance.now();
        await workGoesOn();
        expect(performance.now() - backAt).toBeLessThan(goesOnWithinMs);
        const accepted = await load.stop();
        await completed(accepted.size);
        expect(await system.effects()).toEqual(new Map([...accepted].map((id) => [`<${id}@example.com>`, 1])));
        expect(await outbox()).toBe(0);
      });

      it('and loses its data dispatches the lost jobs again, and runs the jobs in flight once', async () => {
        const mailServer = await GatedMailServer.start();
        await startSystem({ SMTP_URL: mailServer.url });
        const load = new Load(system, 16);
        await mailServer.holds(20);
        await until(
          'a backlog that the worker has not fetched',
          () => Promise.resolve(load.accepted.size),
          (size) => size > 100,
          60_000,
        );
        const accepted = await load.stop();
        await until('all are published', outbox, (rows) => rows === 0);
        await running.kill();
        mailServer.open();
        rmSync(folder, { recursive: true });
        await start(running.port);

        await completed(accepted.size);
        expect(mailServer.accepted).toEqual(new Map([...accepted].map((id) => [`<${id}@example.com>`, 1])));
        const { rows } = await system.pool.query('SELECT count(*)::int AS again FROM job WHERE dispatch > 1');
        expect(rows[0].again).toBeGreaterThanOrEqual(accepted.size - 2 * 20);
        await mailServer.close();
      });

      it('or cut off twice a second for ten seconds loses, doubles and dead-letters no job', async () => {
        await startSystem();
        const load = new Load(system, 8);
        await workGoesOn();
        for (let cut = 0; cut < 20; cut += 1) {
          proxy.cut();
          proxy.restore();
          await delay(500);
        }
        expect(load.refusals).toEqual(new Map());
        await workGoesOn();
        const accepted = await load.stop();
        await completed(accepted.size);
        expect(await system.effects()).toEqual(new Map([...accepted].map((id) => [`<${id}@example.com>`, 1])));
        expect(await outbox()).toBe(0);
        expect((await system.pool.query('SELECT FROM dead_letter')).rowCount).toBe(0);
      });
    });
  }
});
