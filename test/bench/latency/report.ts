import type { Backend } from '../../support/system';
import { quantile } from '../measuring/statistics';
import { printTable, shown } from '../measuring/table';
import { bareLatency } from './bare-latency';
import { systemLatency } from './system-latency';

/** How long a job takes from the promise to the effect while nothing else is to do. */
export async function reportLatency(backend: Backend, emails: number): Promise<void> {
  process.stderr.write(`${backend}: latency\n`);
  const system = await systemLatency(backend, emails);
  const bare = await bareLatency(backend, emails);
  process.stdout.write(
    `\nlatency in ms, idle system; ${backend}; ${emails} jobs, 20 to 80 ms after the last one's effect\n`,
  );
  const row = (name: string, samples: readonly number[]) => [
    name,
    ...[0.5, 0.95, 0.99, 1].map((q) => shown(quantile(samples, q), 1)),
  ];
  printTable([
    ['', 'p50', 'p95', 'p99', 'max'],
    row('202 to email at the mail server', system),
    row('bare BullMQ, add to processor', bare),
  ]);
}
