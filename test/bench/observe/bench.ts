import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DriverName } from '../brokers/clients';
import { foundDrivers } from '../drain/drivers';
import { drainTurn, type DrainTurn } from '../drain/turn';
import { endingWith } from '../measuring/ending';
import { printTable, shownRatio, shownSpread } from '../measuring/table';
import { inTurns } from '../measuring/turns';

type Observed = 'nothing' | 'metrics' | 'traces of 1 %' | 'traces of all';

/** Drains a backlog with a worker that measures nothing, one with metrics, and two that also trace; in turns. */
export async function benchObserve(
  name: DriverName | 'all',
  { repeats, ...options }: { repeats: number; jobs: number | undefined },
): Promise<void> {
  const collector = createServer((request, response) => request.resume().on('end', () => response.end('{}')));
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const tracing = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
  };
  await endingWith(
    () => new Promise<void>((resolve) => collector.close(() => resolve())),
    async () => {
      for (const driver of foundDrivers(name)) {
        const { jobs = driver.jobs } = options;
        const { concurrency } = driver;
        const turnOf =
          (environment: NodeJS.ProcessEnv, tracedOneOf = 1) =>
          () =>
            drainTurn(
              driver,
              { process: 'ledger-worker', environment, keepsLedger: true, tracedOneOf },
              jobs,
              concurrency,
            );
        const turns = await inTurns<Observed, DrainTurn>(repeats, {
          nothing: turnOf({ BENCH_OBSERVERS: 'none' }),
          metrics: turnOf({}),
          'traces of 1 %': turnOf(tracing, 100),
          'traces of all': turnOf(tracing),
        });
        report(`${driver.name}; ${repeats} turns of ${jobs} jobs, ${concurrency} in flight`, turns);
      }
    },
  );
}

function report(how: string, turns: Record<Observed, DrainTurn[]>): void {
  process.stdout.write(`\nobserve: what a worker measures while it drains a backlog; ${how}\n`);
  const rate = (name: Observed) => turns[name].map(({ jobsPerSecond }) => jobsPerSecond);
  const cpu = (name: Observed) => turns[name].map(({ cpuSecondsPerJob }) => cpuSecondsPerJob * 1e6);
  const names = Object.keys(turns) as Observed[];
  printTable([
    ['', 'jobs/s', 'of the rate with nothing', 'CPU us/job of the worker'],
    ...names.map((name) => [
      name,
      shownSpread(rate(name), 0),
      shownRatio(rate(name), rate('nothing')),
      shownSpread(cpu(name), 1),
    ]),
  ]);
}
