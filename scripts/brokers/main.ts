import '../../libs/configuration/src/check-node.cjs';
import { whenNpmIsGone } from '../start/npm-parent';
import type { Broker } from './broker';
import { allBrokers, findBroker } from './find';

/** `npm run brokers`: runs the brokers that this machine can start, each empty and on a free port, until Ctrl-C. */
async function main(): Promise<void> {
  process.stderr.write(`${allBrokers.map(({ name }) => name).join(', ')} are starting…\n`);
  const stops: (() => Promise<void>)[] = [];
  const looking = Promise.all(allBrokers.map((broker) => look(broker, stops)));

  // A terminal sends Ctrl-C to npm and to this process, and npm passes it on, so a second one has no effect.
  let ended: Promise<void> | undefined;
  const stop = () => {
    // Waits for brokers that are still starting: only then every process to stop is known.
    ended ??= looking.then(() => Promise.all(stops.map((end) => end()))).then(() => process.exit(0), fail);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  whenNpmIsGone(stop);

  const lines = (await looking).join('');
  if (ended) return;
  if (lines === '') process.exit(1);
  process.stdout.write(`${lines}Ctrl-C ends them.\n`);
}

/** @returns the line for a shell; empty when there is no such broker, after printing why */
async function look(broker: Broker, stops: (() => Promise<void>)[]): Promise<string> {
  const { name, variable } = broker;
  try {
    const looked = await findBroker(broker);
    const configured = process.env[variable];
    if (configured) await broker.ask(configured).catch(() => warn(variable, configured));
    if (looked.found) {
      stops.push(looked.stop);
      return `export ${variable}=${looked.url}\n`;
    }
    process.stderr.write(`No ${name}. ${looked.howToGet}\n`);
  } catch (error) {
    process.stderr.write(`${name} did not start. ${(error as Error).message}\n`);
  }
  return '';
}

/** The address may be left over from an earlier run, or its server starts later. */
function warn(variable: string, address: string): void {
  const place = address.replace(/\/\/[^@/]*@/, '//');
  process.stderr.write(`No server answers at ${variable}=${place}. To start one here: unset ${variable}\n`);
}

function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}

main().catch(fail);
