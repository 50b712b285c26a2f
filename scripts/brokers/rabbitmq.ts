import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from 'amqplib';
import { freePort } from '../postgres/free-port';
import { systemEnvironment } from '../system-environment.cjs';
import { BrokerNotInstalled, type Broker, type RunningBroker, type StartOptions } from './broker';
import { findProgram } from './program';
import { startPrivately, type Place } from './start-privately';
import { untilAnswers } from './until-answers';

/** Debian's script on the path runs the server as another user, who has neither our variables nor our folder. */
const findServer = () => findProgram('/usr/lib/rabbitmq/bin/rabbitmq-server', 'rabbitmq-server');
const findEpmd = () => findProgram('epmd');

export const rabbitmq: Broker = {
  name: 'RabbitMQ',
  variable: 'RABBITMQ_URL',
  howToGet: 'Install it (Debian: apt-get install rabbitmq-server) or Docker, or set RABBITMQ_URL.',
  isInstalled: () => findServer() !== undefined && findEpmd() !== undefined,
  start: startRabbitmq,
  addressAt: (port) => `amqp://guest:guest@127.0.0.1:${port}`,
  ask: async (address) => {
    const connection = await connect(address, { timeout: 1_000 });
    await connection.close();
  },
  container: (port) => ['-p', `127.0.0.1:${port}:5672`, 'rabbitmq:4.1-alpine'],
};

export interface RunningRabbitmq extends RunningBroker {
  /** Runs `rabbitmqctl` against this broker. */
  readonly control: (...args: string[]) => Promise<void>;
}

/**
 * Starts a RabbitMQ that shares nothing with another one on this machine, not even epmd, Erlang's registry of nodes.
 */
export async function startRabbitmq(options: StartOptions = {}): Promise<RunningRabbitmq> {
  const server = findServer();
  const epmd = findEpmd();
  if (server === undefined || epmd === undefined) throw new BrokerNotInstalled(rabbitmq.howToGet);
  const epmdPort = await freePort();
  let environment: NodeJS.ProcessEnv = {};
  const running = await startPrivately(rabbitmq, options, async (place) => {
    // Otherwise Erlang starts an epmd in the background, which nothing ends.
    const names = await place.run(epmd, ['-port', `${epmdPort}`, '-address', '127.0.0.1']);
    await untilAnswers('epmd', () => accepts(epmdPort), names);
    environment = environmentOf(place, await freePort(), epmdPort);
    await place.run(server, [], environment);
  });
  return {
    ...running,
    control: async (...args) => {
      const program = join(dirname(server), 'rabbitmqctl');
      await promisify(execFile)(program, ['-n', environment['RABBITMQ_NODENAME']!, ...args], { env: environment });
    },
  };
}

function environmentOf(place: Place, nodePort: number, epmdPort: number): NodeJS.ProcessEnv {
  const folder = place.folder();
  const configuration = join(folder, 'rabbitmq.conf');
  const plugins = join(folder, 'enabled_plugins');
  writeFileSync(configuration, '');
  writeFileSync(plugins, '[].');
  return {
    // Variables for another RabbitMQ, or for Erlang, must not reach this one.
    ...systemEnvironment(),
    HOME: folder, // Erlang's cookie is in this folder.
    ERL_EPMD_PORT: `${epmdPort}`,
    RABBITMQ_NODENAME: 'private@localhost', // The data belong to this node name.
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: `${place.port}`,
    RABBITMQ_DIST_PORT: `${nodePort}`,
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
    RABBITMQ_CONFIG_FILE: configuration,
    RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, 'advanced.config'),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'rabbitmq-env.conf'),
    // The script then becomes the server instead of waiting for it, so that a signal reaches the server itself.
    RUNNING_UNDER_SYSTEMD: 'true',
  };
}

async function accepts(port: number): Promise<void> {
  const socket = connectTcp(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
}
