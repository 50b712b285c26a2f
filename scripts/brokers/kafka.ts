import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { freePort } from '../postgres/free-port';
import { BrokerNotInstalled, type Broker, type RunningBroker, type StartOptions } from './broker';
import { fetchJars, hasJars, kafkaVersion } from './kafka-jars';
import { findProgram } from './program';
import { startPrivately } from './start-privately';

/**
 * The process rarely runs long enough to gain from optimised compilation, which costs a quarter of the CPU of its
 * start.
 */
const quickToStart = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

export const kafka: Broker = {
  name: 'Kafka',
  variable: 'KAFKA_BROKERS',
  howToGet:
    'Install Java 17 or later and Maven (Debian: apt-get install default-jre-headless maven) or Docker, or set KAFKA_BROKERS.',
  isInstalled: () => findJava() !== undefined && (hasJars() || findProgram('mvn') !== undefined),
  start: startKafka,
  addressAt: (port) => `127.0.0.1:${port}`,
  ask: async (address) => {
    const retry = { retries: 0 };
    const client = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, connectionTimeout: 1_000, retry });
    const admin = client.admin();
    try {
      await admin.connect();
      await admin.listTopics(); // Without it the client knows no broker to ask.
      // Asks the coordinator of groups, which starts last: it creates its topic at the first request.
      await admin.fetchOffsets({ groupId: 'nobody' });
    } finally {
      await admin.disconnect();
    }
  },
  container: (port) => {
    // The port is the same inside and outside: the broker connects to itself at the advertised address.
    const settings = kafkaSettings({ host: '0.0.0.0', port, controllerPort: 9093, folder: '/tmp/kafka' });
    const variables = Object.entries(settings).flatMap(([name, value]) => [
      '-e',
      `KAFKA_${name.toUpperCase().replaceAll('.', '_')}=${value}`,
    ]);
    return ['-p', `127.0.0.1:${port}:${port}`, ...variables, `apache/kafka:${kafkaVersion}`];
  },
};

export async function startKafka(options: StartOptions = {}): Promise<RunningBroker> {
  const java = findJava();
  if (java === undefined || !kafka.isInstalled()) throw new BrokerNotInstalled(kafka.howToGet);
  const classPath = ['-cp', join(await fetchJars(), '*')];
  return startPrivately(kafka, options, async ({ port, folder, run }) => {
    const data = join(folder(), 'data');
    const file = join(folder(), 'server.properties');
    const controllerPort = await freePort();
    const { advertisedPort = port } = options;
    const place = { host: '127.0.0.1', port, advertisedPort, controllerPort, folder: data };
    const settings = { ...kafkaSettings(place), ...options.settings?.(place) };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(file, lines.join(''));
    if (!existsSync(join(data, 'meta.properties'))) {
      // An id may begin with a dash, so it must follow `=`.
      const format = ['format', `--cluster-id=${randomBytes(16).toString('base64url')}`, '-c', file];
      await promisify(execFile)(java, [...quickToStart, ...classPath, 'kafka.tools.StorageTool', ...format]);
    }
    const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';
    await run(java, ['-Xmx384m', ...quickToStart, quiet, ...classPath, 'kafka.Kafka', file]);
  });
}

interface KafkaPlace {
  /** Its listening address. It tells clients to connect to 127.0.0.1. */
  readonly host: string;
  readonly port: number;
  /** Default: the same port. Differs behind a proxy. */
  readonly advertisedPort?: number;
  readonly controllerPort: number;
  readonly folder: string;
}

/** The settings of one node that is its own controller and starts quickly. */
function kafkaSettings(place: KafkaPlace): Record<string, string> {
  const { host, port, advertisedPort = port, controllerPort, folder } = place;
  return {
    'node.id': '1',
    'process.roles': 'broker,controller',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://${host}:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${advertisedPort}`,
    'log.dirs': folder,
    // A killed broker that starts again is refused until the session of the killed one expires.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    // A missing topic then shows as an error.
    'auto.create.topics.enable': 'false',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    ...internalTopic('offsets.topic'),
    ...internalTopic('transaction.state.log'),
    ...internalTopic('share.coordinator.state.topic'),
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.min.isr': '1',
  };
}

function internalTopic(name: string): Record<string, string> {
  return { [`${name}.num.partitions`]: '1', [`${name}.replication.factor`]: '1' };
}

/** Finds Java 17 or later. */
function findJava(): string | undefined {
  const home = process.env['JAVA_HOME'];
  const java = findProgram(...(home ? [join(home, 'bin/java')] : []), 'java');
  if (java === undefined) return undefined;
  const { stderr } = spawnSync(java, ['-version'], { encoding: 'utf8' });
  const major = Number(/version "(\d+)/.exec(stderr)?.[1]);
  return major >= 17 ? java : undefined;
}
