import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { parse } from 'yaml';
import type { RunningBroker } from '../../scripts/brokers/broker';
import { startKafka } from '../../scripts/brokers/kafka';
import { startServer, type ServerProcess } from '../../scripts/brokers/server-process';
import { freePort } from '../../scripts/postgres/free-port';
import { projectFolder } from '../support/postgres';
import { anEmail, TestSystem } from '../support/system';
import { until } from '../support/until';

const { services } = parse(readFileSync(join(projectFolder, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
  services: Record<string, { environment: Record<string, string>; command?: string[] }>;
};

describe('a Kafka with the users of docker-compose.yml', () => {
  let kafka: RunningBroker;
  let KAFKA_BROKERS: string;

  beforeAll(async () => {
    const network = await freePort();
    const settings = services['kafka']!.environment;
    const users = settings['KAFKA_LISTENER_NAME_NETWORK_PLAIN_SASL_JAAS_CONFIG']!.replace(
      /\$\{KAFKA_PASSWORD:[^}]*\}/,
      'right',
    );
    KAFKA_BROKERS = `127.0.0.1:${network}`;
    // The test uses the PLAINTEXT listener to see that the server is up.
    kafka = await startKafka({
      settings: ({ port, controllerPort }) => ({
        listeners: `PLAINTEXT://127.0.0.1:${port},NETWORK://${KAFKA_BROKERS},CONTROLLER://127.0.0.1:${controllerPort}`,
        'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},NETWORK://${KAFKA_BROKERS}`,
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,NETWORK:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
        'inter.broker.listener.name': 'PLAINTEXT',
        'sasl.enabled.mechanisms': settings['KAFKA_SASL_ENABLED_MECHANISMS']!,
        'listener.name.network.plain.sasl.jaas.config': users.trim(),
      }),
    });
  });

  afterAll(() => kafka.stop());

  const access = (KAFKA_PASSWORD: string) => ({
    KAFKA_BROKERS,
    KAFKA_USERNAME: services['relay']!.environment['KAFKA_USERNAME']!,
    KAFKA_PASSWORD,
    JOB_BROKERS: 'email=kafka',
  });

  it('accepts a system with the password', async () => {
    const system = await TestSystem.start({ environment: access('right') });
    try {
      const { status } = await fetch(`${system.url()}/v1/emails`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(anEmail()),
      });
      expect(status).toBe(202);
      await until(
        'the email is sent',
        () => system.jobsByState(),
        ({ completed = 0 }) => completed === 1,
        60_000,
      );
      expect(system.output).not.toContain('right');
    } finally {
      await system.stop();
    }
  });

  it('refuses a system with another password', async () => {
    const system = await TestSystem.start({ apps: ['api'], environment: access('wrong') });
    try {
      const { items } = (await (await fetch(`${system.url()}/v1/brokers`)).json()) as {
        items: Record<string, unknown>[];
      };
      expect(items.find(({ name }) => name === 'kafka')).toMatchObject({ state: 'down' });
      expect(JSON.stringify(items)).not.toContain('wrong');
    } finally {
      await system.stop();
    }
  });
});

describe('a Redis that is started as docker-compose.yml starts it', () => {
  let redis: ServerProcess;

  afterAll(() => redis.stop());

  it('requires the password', async () => {
    const port = await freePort();
    const [program, ...options] = services['redis']!.command!.map((word) =>
      word.replace(/^\$\{REDIS_PASSWORD:.*/, 'right'),
    );
    const folder = mkdtempSync(join(tmpdir(), 'redis-'));
    const here = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
    redis = await startServer('Redis', program!, [...options, ...here]);
    const ping = async (password: string | undefined) => {
      const client = new Redis({
        port,
        lazyConnect: true,
        enableReadyCheck: false,
        retryStrategy: null,
        ...(password && { password }),
      });
      // ioredis reports a wrong password as an error event and ends the connection.
      const said: string[] = [];
      client.on('error', (error) => said.push(error.message));
      return client
        .connect()
        .then(() => client.ping())
        .catch((error: unknown) => [...said, (error as Error).message].join('; '))
        .finally(() => client.disconnect());
    };
    await until(
      'it answers',
      () => ping('right'),
      (answer) => answer === 'PONG',
    );
    expect(await ping(undefined)).toContain('NOAUTH');
    expect(await ping('wrong')).toContain('WRONGPASS');
    rmSync(folder, { recursive: true });
  });
});
