import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { allBrokers } from '../../scripts/brokers/all';
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
/** With none it has nothing to start, and ends when it has said so. */
const withOne = installed.length > 0 ? it : it.skip;

/** A variable that every process inherits from the one that has it, wherever it goes. */
const mark = 'BROKERS_TEST_MARK';

/** All that bear the mark; Redis does not, which writes its title over its variables. */
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

  /** What it runs, as a person would start it who has set no address. */
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

  withOne('prints addresses that answer, and on Ctrl-C, pressed twice, ends all of it with 0', async () => {
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

  it('takes an address that is set as it is; killed, it takes what it has started with it', async () => {
    const set = { RABBITMQ_URL: 'amqp://elsewhere', KAFKA_BROKERS: 'elsewhere:9092' };
    const brokers = run(set);
    const said = await brokers.isReady();
    for (const [variable, address] of Object.entries(set)) expect(said).toContain(`export ${variable}=${address}\n`);
    const processes = brokers.processes();

    brokers.kill('SIGKILL');
    await brokers.exitCode();
    await brokers.allGone(processes);
  });

  it('says of each that cannot be had how to get it', async () => {
    const brokers = run({ PATH: '', JAVA_HOME: '', RABBITMQ_URL: 'amqp://elsewhere' });
    await brokers.exitCode();
    expect(brokers.said()).toContain(
      'No Redis. Install it (Debian: apt-get install redis-server) or Docker, or set REDIS_URL.',
    );
    expect(brokers.said()).toMatch(/^No Kafka\. Install Java 17 or later and Maven .* or set KAFKA_BROKERS\.$/m);
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

    ifInstalled(`${broker.name}, killed, is gone at once; on its port and folder it has what it had`, async () => {
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
    });
  }
});

describe('a test run', () => {
  const before = { ...process.env };

  afterEach(() => {
    process.env = { ...before };
  });

  it('with REQUIRE_BROKERS=all names all that are missing, at once', async () => {
    Object.assign(process.env, { REQUIRE_BROKERS: 'all', PATH: '', JAVA_HOME: '', REDIS_URL: '', KAFKA_BROKERS: '' });
    const missing = allBrokers.filter(({ name }) => name !== 'RabbitMQ');
    await expect(setUpBrokers(missing)).rejects.toThrow(/no Redis: Install .*\nno Kafka: Install /);
  });

  it('whose set-up fails ends what has started by then', async () => {
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
