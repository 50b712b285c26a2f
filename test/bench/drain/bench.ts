import { reportLatency } from '../latency/report';
import { printTable, shownRatio, shownSpread } from '../measuring/table';
import { foundBackends } from '../measuring/stage';
import { inTurns, type Results } from '../measuring/turns';
import { bareTurn, ledgerTurn, type DrainTurn } from './turn';

export interface DrainOptions {
  readonly repeats: number;
  readonly jobs: number;
  /** On Redis: the same number would be gone before it can be measured. */
  readonly 'redis-jobs': number;
  /** For the latency. */
  readonly emails: number;
  readonly concurrency: number;
}

type Contender = 'ledger' | 'bare BullMQ';

/** Of a backlog. */
const warmUpPart = 0.2;

/** Each backend's turns: a backlog through ledger, relay and worker, beside BullMQ alone. */
export async function benchDrain({ repeats, concurrency, emails, ...options }: DrainOptions): Promise<void> {
  for (const backend of foundBackends()) {
    const jobs = backend === 'bullmq-redis' ? options['redis-jobs'] : options.jobs;
    const order = { jobs, warmUp: Math.ceil(jobs * warmUpPart) };
    process.stderr.write(`${backend}\n`);
    const results = await inTurns<Contender, DrainTurn>(repeats, {
      ledger: () => ledgerTurn(backend, order, concurrency),
      'bare BullMQ': () => bareTurn(backend, order, concurrency),
    });
    const how = `${backend}; ${repeats} turns of ${jobs} jobs (${order.warmUp} to get warm), concurrency ${concurrency}`;
    report(how, results);
    await reportLatency(backend, emails);
  }
}

function report(how: string, { ledger, 'bare BullMQ': bare }: Results<Contender, DrainTurn>): void {
  process.stdout.write(`\ndrain: a backlog of jobs that do nothing; ${how}\n`);
  const drained = (turns: readonly DrainTurn[]) => turns.map(({ jobsPerSecond }) => jobsPerSecond);
  const published = (turns: readonly DrainTurn[]) => turns.map(({ publishedPerSecond }) => publishedPerSecond);
  const row = (name: string, turns: readonly DrainTurn[]) => [
    name,
    shownSpread(drained(turns), 0),
    shownSpread(
      turns.map(({ cost, jobs }) => cost.statements / jobs),
      2,
    ),
    shownSpread(
      turns.map(({ cost, jobs }) => cost.writes / jobs),
      2,
    ),
    shownSpread(
      turns.map(({ cost, jobs }) => cost.cpuSeconds && (cost.cpuSeconds / jobs) * 1_000),
      2,
    ),
    shownSpread(published(turns), 0),
  ];
  printTable([
    ['', 'jobs/s', 'statements/job', 'commits/job', 'CPU s/1000 jobs', 'outbox to broker/s'],
    row('ledger', ledger),
    row('bare BullMQ', bare),
    ['ratio', shownRatio(drained(ledger), drained(bare)), '', '', '', shownRatio(published(ledger), published(bare))],
  ]);
  process.stdout.write('  every job ran once and was completed at its first attempt, in every turn\n');
  for (const [name, turns] of Object.entries({ ledger, 'bare BullMQ': bare })) {
    const failed = turns.reduce((sum, { failedOnBroker }) => sum + failedOnBroker, 0);
    if (failed > 0) process.stdout.write(`  ${name}: BullMQ marked ${failed} messages as failed that were done\n`);
  }
}
