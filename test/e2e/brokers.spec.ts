import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { allBrokers } from '../../scripts/brokers/find';
import type { RunningBroker } from '../../scripts/brokers/broker';
import { kafka } from '../../scripts/brokers/kafka';
import { rabbitmq } from '../../scripts/brokers/rabbitmq';
import { setUpBrokers } from '../support/brokers';
import { keptMessage } from '../support/kept-message';
import { projectFolder } from '../support/postgres';
import { keepForTeardown } from '../support/run-folder';
import { setUp } from '../support/set-up';
import { descendantsOf, isAlive } from '../support/start';
import { until } from '../support/until';

const installed = allBrokers.filter((broker) => broker.isInstalled());
/** When no broker is installed, the script starts nothing, prints that and exits. */
const withOne = installed.length > 0 ? it : it.skip;

/** An environment variable that all child processes inherit. */
const mark = 'BROKERS_TEST_MARK';

/** All processes with the mark, except Redis, which overwrites its environment with its title. */
function markedWith(value: string): number[] {
  const { stdout } = spawnSync('ps', ['axeww', '-o', 'pid=,args='], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  const lines = stdout.split('\n').filter((line) => line.includes(`${mark}=${value}`));
  return lines.map((line) => parseInt(line, 10));
}

const allGone = (value: string, processes: readonly number[] = []) =>
  until(
    'every process is gone',
    () => Promise.resolve([...markedWith(value), ...processes.filter(isAlive)]),
    (alive) => alive.length === 0,
    3_000,
  );

describe('npm run brokers', () => {
  const ends: (() => Promise<unknown>)[] = [];

  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  /** Runs the script as a user does who has set no address. */
  function run(environment: Record<string, string> = {}) {
    const value = randomUUID();
    const unset = Object.fromEntries(allBrokers.map(({ variable }) => [variable, '']));
    const child = spawn(process.execPath, [join(projectFolder, 'dist/scripts/brokers/main.js')], {
      env: { ...process.env, ...unset, ...environment, [mark]: value },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    }
    const ended = once(child, 'exit') as Promise<[number | null]>;
    const kill = (signal: NodeJS.Signals) => child.kill(signal);
    ends.push(() => (kill('SIGKILL'), ended));
    const isReady = () =>
      until(
        'it says how to end it',
        () => Promise.resolve(said),
        (text) => text.includes('Ctrl-C ends them.') || child.exitCode !== null,
        150_000,
      );
    return {
      kill,
      isReady,
      said: () => said,
      exitCode: async () => (await ended)[0],
      processes: () => [...new Set([...markedWith(value), ...descendantsOf(child.pid!)])],
      allGone: (processes: readonly number[]) => allGone(value, processes),
    };
  }

  withOne('prints addresses that answer, and ends all processes with code 0 when Ctrl-C is pressed twice', async () => {
    const brokers = run();
    const said = await brokers.isReady();
    for (const { name, variable } of installed) {
      const address = new RegExp(`^export ${variable}=(.+)$`, 'm').exec(said)![1]!;
      const body = randomUUID();
      await keptMessage[name].put(address, body);
      expect([name, await keptMessage[name].take(address)]).toEqual([name, body]);
    }
    const processes = brokers.processes();
    expect(processes.length).toBeGreaterThan(installed.length);

    brokers.kill('SIGINT');
    setTimeout(() => brokers.kill('SIGINT'), 50);
    expect(await brokers.exitCode()).toBe(0);
    await brokers.allGone(processes);
  });

  it('uses an address that is set, and takes its processes with it when it is killed', async () => {
    const set = { RABBITMQ_URL: 'amqp://elsewhere', KAFKA_BROKERS: 'elsewhere:9092' };
    const brokers = run(set);
    const said = await brokers.isReady();
    for (const [variable, address] of Object.entries(set)) {
      expect(said).toContain(`export ${variable}=${address}\n`);
      expect(said).toContain(`No server answers at ${variable}=${address}. To start one here: unset ${variable}\n`);
    }
    const processes = brokers.processes();

    brokers.kill('SIGKILL');
    await brokers.exitCode();
    await brokers.allGone(processes);
  });

  it('says how to get each broker that is not installed', async () => {
    const brokers = run({ PATH: '', JAVA_HOME: '', RABBITMQ_URL: 'amqp://elsewhere' });
    await brokers.exitCode();
    for (const { name, variable, howToGet } of allBrokers) {
      if (variable === 'RABBITMQ_URL') continue;
      expect(howToGet).toMatch(new RegExp(`^Install .*, or set ${variable}\\.$`));
      expect(brokers.said()).toContain(`No ${name}. ${howToGet}\n`);
    }
    expect(brokers.said()).toContain('export RABBITMQ_URL=amqp://elsewhere\n');
  });
});

describe('a private broker', () => {
  let folder: string;
  let running: RunningBroker | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'a folder with spaces '));
    process.env[mark] = randomUUID();
  });

  afterEach(async () => {
    await running?.stop();
    running = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  for (const broker of [rabbitmq, kafka]) {
    const ifInstalled = broker.isInstalled() ? it : it.skip;

    ifInstalled(
      `${broker.name} ends at once when it is killed, and has its messages again on the same port and folder`,
      async () => {
        const message = keptMessage[broker.name];
        const body = randomUUID();
        running = await broker.start({ dataFolder: folder });
        const { url, port } = running;
        await message.put(url, body);
        await running.kill();
        await expect(broker.ask(url)).rejects.toThrow();
        await allGone(process.env[mark]!);

        running = await broker.start({ dataFolder: folder, port });
        expect(await message.take(url)).toBe(body);
        await running.stop();
        await expect(broker.ask(url)).rejects.toThrow();
        await allGone(process.env[mark]!);
      },
    );
  }
});

describe('the set-up of a test run', () => {
  const before = { ...process.env };

  afterEach(() => {
    process.env = { ...before };
  });

  it('names all missing brokers at once with REQUIRE_BROKERS=all', async () => {
    Object.assign(process.env, { REQUIRE_BROKERS: 'all', PATH: '', JAVA_HOME: '', REDIS_URL: '', KAFKA_BROKERS: '' });
    const missing = allBrokers.filter(({ name }) => name !== 'RabbitMQ');
    await expect(setUpBrokers(missing)).rejects.toThrow(/no Redis: Install .*\nno Kafka: Install /);
  });

  it('ends everything that it has started when a part of it fails', async () => {
    const end = jest.fn(() => Promise.resolve());
    const starts = async () => {
      await delay(50);
      keepForTeardown(end);
    };
    const fails = () => Promise.reject(new Error('no Kafka'));
    await expect(setUp(fails, starts)).rejects.toThrow('no Kafka');
    expect(end).toHaveBeenCalledTimes(1);
  });
});
