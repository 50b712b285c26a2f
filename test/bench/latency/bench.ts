import type { DriverName } from '../brokers/clients';
import { foundDrivers } from '../drain/drivers';
import { quantile } from '../measuring/statistics';
import { printTable, shown } from '../measuring/table';
import { bareLatency } from './bare-latency';
import { systemLatency } from './system-latency';

/** Measures the time from the accepted request to the effect on an idle system. */
export async function benchLatency(name: DriverName | 'all', { emails }: { emails: number }): Promise<void> {
  for (const driver of foundDrivers(name)) {
    process.stderr.write(`${driver.name}\n`);
    const system = await systemLatency(driver, emails);
    const bare = await bareLatency(driver, emails);
    process.stdout.write(
      `\nlatency in ms, idle system; ${driver.name}; ${emails} jobs, 20 to 80 ms after the last one's effect\n`,
    );
    const row = (who: string, samples: readonly number[]) => [
      who,
      ...[0.5, 0.95, 0.99, 1].map((q) => shown(quantile(samples, q), 1)),
    ];
    printTable([
      ['', 'p50', 'p95', 'p99', 'max'],
      row('202 to email at the mail server', system),
      row('raw client, published to taken', bare),
    ]);
  }
}
