import '../../libs/configuration/src/check-node.cjs';
import 'reflect-metadata';
import { parseArgs } from 'node:util';
import type { Broker } from '../../scripts/brokers/broker';
import { kafka } from '../../scripts/brokers/kafka';
import { setUpBrokers } from '../support/brokers';
import { tearDown } from '../support/run-folder';
import { setUp, setUpPostgres } from '../support/set-up';
import { driverNames, type DriverName } from './brokers/clients';
import { benchDrain } from './drain/bench';
import { brokersOf } from './drain/drivers';
import { benchEnqueue } from './enqueue/bench';
import { benchHeld } from './held/bench';
import { benchImage } from './image/bench';
import { benchLatency } from './latency/bench';
import { benchObserve } from './observe/bench';
import { benchReport } from './report/bench';
import { benchRetention } from './retention/bench';
import { endEverything, endingWith } from './measuring/ending';
import { benchSse } from './sse/bench';
import { benchStart } from './start/bench';
import { benchSync } from './sync/bench';

type DriverOption = DriverName | 'all';

/** A whole number with its default, one whose default depends on the driver, or a revision of git without a default. */
type Option = number | 'by driver' | 'REV';

type Values<Options extends Record<string, Option>> = {
  [Name in keyof Options]: Options[Name] extends number
    ? number
    : (Options[Name] extends 'REV' ? string : number) | undefined;
};

interface Bench {
  readonly purpose: string;
  readonly options: Readonly<Record<string, Option>>;
  readonly brokers: (driver: DriverOption) => readonly Broker[];
  run(driver: DriverOption, options: Record<string, number | string | undefined>): Promise<void>;
}

const benches: Readonly<Record<string, Bench>> = {
  enqueue: bench(
    'POST /v1/emails beside a server that does one INSERT: jobs/s, latency',
    { repeats: 5, seconds: 4, connections: 32 },
    () => [],
    (_driver, options) => benchEnqueue(options),
  ),
  drain: bench(
    'a backlog through relay and worker beside the raw client, and beside a consumer written by hand: jobs/s',
    { repeats: 5, jobs: 'by driver', concurrency: 'by driver' },
    brokersOf,
    benchDrain,
  ),
  observe: bench(
    'a backlog through a worker without and with metrics, and with traces of 1 % and of all: jobs/s, CPU',
    { repeats: 5, jobs: 'by driver' },
    brokersOf,
    benchObserve,
  ),
  sync: bench(
    'changes of products into the search model, in groups, one by one, and by kafkajs alone: changes/s',
    { repeats: 3, changes: 20_000 },
    () => [kafka],
    (_driver, options) => benchSync(options),
  ),
  latency: bench('from the 202 to the effect on an idle system: ms', { emails: 200 }, brokersOf, benchLatency),
  sse: bench(
    'open event streams beside a bare server: ms from the commit to the reader, and memory',
    { repeats: 3, streams: 1_000, seconds: 10, rate: 200 },
    () => [],
    (_driver, options) => benchSse(options),
  ),
  report: bench(
    'orders to CSV, XLSX and PDF beside the bare libraries: rows/s, memory',
    { repeats: 3, rows: 100_000 },
    () => [],
    (_driver, options) => benchReport(options),
  ),
  held: bench(
    'the outbox while another transaction stays open, beside the outbox without one: rows/s',
    { repeats: 3, rows: 600_000 },
    () => [],
    (_driver, options) => benchHeld(options),
  ),
  retention: bench(
    'enqueue at a fixed rate, without retention and beside it: ms, jobs deleted/s',
    { repeats: 5, jobs: 200_000, rate: 300, seconds: 20 },
    () => [],
    (_driver, options) => benchRetention(options),
  ),
  image: bench(
    'photos into nine variants beside sharp alone: megapixels/s',
    { repeats: 3, images: 8 },
    () => [],
    (_driver, options) => benchImage(options),
  ),
  start: bench(
    'npm start, beside that of another revision: s until it is ready, idle memory (only on Linux)',
    { repeats: 3, idle: 60, base: 'REV' },
    () => [],
    (_driver, options) => benchStart(options),
  ),
};

function bench<Options extends Record<string, Option>>(
  purpose: string,
  options: Options,
  brokers: Bench['brokers'],
  run: (driver: DriverOption, options: Values<Options>) => Promise<void>,
): Bench {
  return { purpose, options, brokers, run };
}

function usage(): string {
  const lines = Object.entries(benches).flatMap(([name, { purpose, options, brokers }]) => {
    const shown = Object.entries(options).map(([option, value]) => `--${option} ${value}`);
    const driver = brokers('all').length > 0 ? ['--driver all'] : [];
    return [`  ${name.padEnd(10)}${purpose}`, `  ${''.padEnd(10)}${[...driver, ...shown].join(' ')}`];
  });
  return [
    'npm run bench -- NAME [--driver DRIVER] [--option value]',
    ...lines,
    `  drivers: ${driverNames.join(', ')}; all that are there without --driver`,
    '',
  ].join('\n');
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
  let read: ReturnType<typeof readOptions>;
  try {
    read = readOptions(args, chosen.options);
  } catch (error) {
    refuse((error as Error).message);
    return;
  }
  const { driver, options } = read;
  const ready = setUp(
    () => setUpPostgres('on'),
    () => setUpBrokers(chosen.brokers(driver)),
  );
  const afterSetUp = async (): Promise<void> => {
    await ready.catch(() => undefined); // Only after the set-up is everything known that has to be ended.
    await tearDown();
  };
  await endingWith(afterSetUp, async () => {
    await ready;
    await chosen.run(driver, options);
  });
}

function refuse(why: string): void {
  process.stderr.write(`${why}\n${usage()}`);
  process.exitCode = 1;
}

/** @throws Error for an unknown option or driver, or a value that is not a whole number from 1 */
function readOptions(args: string[], defaults: Readonly<Record<string, Option>>) {
  const known = Object.fromEntries(
    ['driver', ...Object.keys(defaults)].map((option) => [option, { type: 'string' as const }]),
  );
  const { values } = parseArgs({ args, options: known });
  const drivers: readonly DriverOption[] = ['all', ...driverNames];
  const driver = drivers.find((one) => one === (values['driver'] ?? 'all'));
  if (driver === undefined) throw new Error(`--driver: expected one of ${drivers.join(', ')}.`);
  const options = Object.fromEntries(
    Object.entries(defaults).map(([option, value]) => {
      if (values[option] === undefined) return [option, typeof value === 'number' ? value : undefined];
      if (value === 'REV') return [option, values[option]];
      const given = Number(values[option]);
      if (!Number.isInteger(given) || given < 1) throw new Error(`--${option}: expected a whole number from 1.`);
      return [option, given];
    }),
  );
  return { driver, options };
}

let interruptedAt: number | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // Ctrl-C arrives twice, from the terminal and through npm. Only a later one means that the user does not want to
    // wait.
    if (interruptedAt !== undefined && performance.now() - interruptedAt > 2_000) process.exit(1);
    if (interruptedAt !== undefined) return;
    interruptedAt = performance.now();
    void endEverything().finally(() => process.exit(130));
  });
}
process.on('uncaughtException', (error) => void fail(error));

async function fail(error: unknown): Promise<void> {
  if (interruptedAt !== undefined) return; // Errors of interrupted work are expected after Ctrl-C.
  process.stderr.write(`bench: ${error instanceof Error ? error.stack : String(error)}\n`);
  await endEverything();
  process.exit(1);
}

main(process.argv.slice(2)).then(
  () => interruptedAt === undefined && process.exit(),
  (error: unknown) => fail(error),
);
