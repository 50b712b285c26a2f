import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '@app/configuration';
import { freePort } from '../postgres/free-port';
import type { Broker, RunningBroker, StartOptions } from './broker';
import { startServer, type ServerProcess } from './server-process';
import { untilAnswers } from './until-answers';

/** What the processes of a broker are started with. */
export interface Place {
  readonly port: number;
  /** Created at the first call. */
  readonly folder: () => string;
  /** Starts a process. All started processes are ended together, the last one first. */
  readonly run: (program: string, args: readonly string[], environment?: NodeJS.ProcessEnv) => Promise<ServerProcess>;
}

/**
 * @param launch starts the broker's processes; the last one is the one that answers clients
 * @throws Error with the broker's output when it does not start; then nothing of it is left
 */
export async function startPrivately(
  broker: Broker,
  options: StartOptions,
  launch: (place: Place) => Promise<void>,
): Promise<RunningBroker> {
  const port = options.port ?? (await freePort());
  const url = broker.addressAt(port);
  let temporary: string | undefined;
  const folder = () => {
    const requested = options.dataFolder;
    if (requested !== undefined) makeFolder(requested);
    return requested ?? (temporary ??= mkdtempSync(join(tmpdir(), 'node-message-queue-broker-')));
  };
  const removeTemporary = () => {
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
  };
  const servers: ServerProcess[] = [];
  const run: Place['run'] = async (...command) => {
    const server = await startServer(broker.name, ...command);
    servers.unshift(server);
    return server;
  };
  const kill = async () => {
    for (const server of servers) await server.kill();
  };
  try {
    await launch({ port, folder, run });
    await untilAnswers(broker.name, () => broker.ask(url), servers[0]!);
  } catch (error) {
    await kill();
    removeTemporary();
    throw error;
  }
  return {
    url,
    port,
    kill,
    stop: async () => {
      for (const server of servers) await server.stop();
      removeTemporary();
    },
  };
}
