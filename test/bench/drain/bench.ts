import type { DriverName } from '../brokers/clients';
import { printTable, shownRatio, shownSpread } from '../measuring/table';
import { inTurns, type Results } from '../measuring/turns';
import { contenders, type ContenderName } from './contenders';
import { foundDrivers } from './drivers';
import { drainTurn, type DrainTurn } from './turn';

export interface DrainOptions {
  readonly repeats: number;
  readonly jobs: number | undefined;
  readonly concurrency: number | undefined;
}

/** The slow contender gets a smaller backlog. */
const jobByJobPart = 10;

type Turns = Results<ContenderName, DrainTurn>;

/** Drains a backlog on each driver, in turns: through the ledger, and through the alternatives without the library. */
export async function benchDrain(name: DriverName | 'all', { repeats, ...options }: DrainOptions): Promise<void> {
  for (const driver of foundDrivers(name)) {
    const { jobs = driver.jobs, concurrency = driver.concurrency } = options;
    process.stderr.write(`${driver.name}\n`);
    const turnOf = (contender: ContenderName, backlog: number) => () =>
      drainTurn(driver, contenders[contender], backlog, concurrency);
    const turns = await inTurns<ContenderName, DrainTurn>(repeats, {
      'raw client': turnOf('raw client', jobs * driver.rawTimes),
      'hand-written': turnOf('hand-written', jobs),
      'job by job': turnOf('job by job', Math.ceil(jobs / jobByJobPart)),
      ledger: turnOf('ledger', jobs),
    });
    report(`${driver.name}; ${repeats} turns of ${jobs} jobs, ${concurrency} in flight`, turns);
  }
}

function report(how: string, turns: Turns): void {
  process.stdout.write(`\ndrain: a backlog of jobs that do nothing; ${how}\n`);
  const spread = (of: readonly DrainTurn[], value: (turn: DrainTurn) => number | undefined, digits: number) =>
    shownSpread(of.map(value), digits);
  printTable([
    ['', 'jobs/s', 'statements/job', 'commits/job', 'CPU s/1000 jobs', 'its own', 'to the broker/s'],
    ...Object.entries(turns).map(([name, of]) => [
      name,
      spread(of, ({ jobsPerSecond }) => jobsPerSecond, 0),
      spread(of, ({ cost, jobs }) => cost.statements / jobs, 3),
      spread(of, ({ cost, jobs }) => cost.writes / jobs, 3),
      spread(of, ({ cost, jobs }) => cost.cpuSeconds && (cost.cpuSeconds / jobs) * 1_000, 2),
      spread(of, ({ cpuSecondsPerJob }) => cpuSecondsPerJob * 1_000, 3),
      spread(of, ({ publishedPerSecond }) => publishedPerSecond, 0),
    ]),
  ]);
  process.stdout.write('\n');
  const jobs = (name: ContenderName) => turns[name].map(({ jobsPerSecond }) => jobsPerSecond);
  const published = (name: ContenderName) => turns[name].map(({ publishedPerSecond }) => publishedPerSecond);
  printTable([
    ['ratio of one turn', ''],
    ['ledger / raw client', shownRatio(jobs('ledger'), jobs('raw client'))],
    ['ledger / hand-written', shownRatio(jobs('ledger'), jobs('hand-written'))],
    ['hand-written / job by job', shownRatio(jobs('hand-written'), jobs('job by job'))],
    ['ledger / job by job', shownRatio(jobs('ledger'), jobs('job by job'))],
    ['outbox to broker / bulk publish', shownRatio(published('ledger'), published('raw client'))],
  ]);
  process.stdout.write('  in every turn each job ran once, the same rows recorded it, and no message was left\n');
  for (const [name, of] of Object.entries(turns)) {
    const failed = of.reduce((sum, { failedOnBroker }) => sum + failedOnBroker, 0);
    if (failed > 0) process.stdout.write(`  ${name}: the broker marked ${failed} messages as failed that were done\n`);
  }
}
