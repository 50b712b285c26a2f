import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { redis } from '../../scripts/brokers/redis';
import { setUpBrokers } from '../support/brokers';
import { tearDown } from '../support/run-folder';
import { setUp, setUpPostgres } from '../support/set-up';
import { benchDrain } from './drain/bench';
import { benchEnqueue } from './enqueue/bench';
import { endEverything, endingWith } from './measuring/ending';

interface Bench {
  readonly purpose: string;
  /** By name, with their defaults. */
  readonly options: Readonly<Record<string, number>>;
  run(options: Record<string, number>): Promise<void>;
}

function bench<Options extends Record<string, number>>(
  purpose: string,
  options: Options,
  run: (options: Options) => Promise<void>,
): Bench {
  return { purpose, options, run };
}

const benches: Readonly<Record<string, Bench>> = {
  enqueue: bench(
    'POST /v1/emails beside a server that does one INSERT: jobs/s, latency',
    { repeats: 5, seconds: 4, connections: 32 },
    benchEnqueue,
  ),
  drain: bench(
    'a backlog through ledger, relay and worker beside BullMQ alone: jobs/s; latency from the 202 to the effect',
    { repeats: 5, jobs: 3_000, 'redis-jobs': 15_000, concurrency: 50, emails: 200 },
    benchDrain,
  ),
};

function usage(): string {
  const lines = Object.entries(benches).flatMap(([name, { purpose, options }]) => {
    const shown = Object.entries(options).map(([option, value]) => `--${option} ${value}`);
    return [`  ${name.padEnd(10)}${purpose}`, `  ${''.padEnd(10)}${shown.join(' ')}`];
  });
  return ['npm run bench -- NAME [--option number]', ...lines, ''].join('\n');
}

async function main([name, ...args]: string[]): Promise<void> {
  if (name === undefined) {
    process.stdout.write(usage());
    return;
  }
  const chosen = benches[name];
  if (!chosen) {
    refuse(`There is no benchmark "${name}".`);
    return;
  }
  let options: Record<string, number>;
  try {
    options = readOptions(args, chosen.options);
  } catch (error) {
    refuse((error as Error).message);
    return;
  }
  const ready = setUp(
    () => setUpPostgres('on'),
    () => setUpBrokers([redis]),
  );
  const afterSetUp = async (): Promise<void> => {
    await ready.catch(() => undefined); // Only then is all known that has to end.
    await tearDown();
  };
  await endingWith(afterSetUp, async () => {
    await ready;
    await chosen.run(options);
  });
}

function refuse(why: string): void {
  process.stderr.write(`${why}\n${usage()}`);
  process.exitCode = 1;
}

/** @throws Error for an option that is not known, or not a whole number from 1 */
function readOptions(args: string[], defaults: Readonly<Record<string, number>>): Record<string, number> {
  const known = Object.fromEntries(Object.keys(defaults).map((option) => [option, { type: 'string' as const }]));
  const { values } = parseArgs({ args, options: known });
  return Object.fromEntries(
    Object.entries(defaults).map(([option, value]) => {
      const given = values[option] === undefined ? value : Number(values[option]);
      if (!Number.isInteger(given) || given < 1) throw new Error(`--${option}: expected a whole number from 1.`);
      return [option, given];
    }),
  );
}

let interruptedAt: number | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // Ctrl-C comes twice, from the terminal and through npm; only a later one is somebody who will not wait.
    if (interruptedAt !== undefined && performance.now() - interruptedAt > 2_000) process.exit(1);
    if (interruptedAt !== undefined) return;
    interruptedAt = performance.now();
    void endEverything().finally(() => process.exit(130));
  });
}
process.on('uncaughtException', (error) => void fail(error));

async function fail(error: unknown): Promise<void> {
  if (interruptedAt !== undefined) return; // What is cut off on the way out is no news.
  process.stderr.write(`bench: ${error instanceof Error ? error.stack : String(error)}\n`);
  await endEverything();
  process.exit(1);
}

main(process.argv.slice(2)).then(
  () => interruptedAt === undefined && process.exit(),
  (error: unknown) => fail(error),
);
