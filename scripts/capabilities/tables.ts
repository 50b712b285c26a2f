import { requestableBrokers } from '@app/contracts';
import { capabilityNames, type Capabilities, type Support } from '@app/messaging';

/** `reports/conformance.json`: the results of the conformance suite, by driver. */
export type ConformanceReport = Record<
  string,
  { readonly passed: number; readonly failed: number; readonly skipped: number; readonly capabilities: Capabilities }
>;

/** `reports/examples.json`: the examples that show a capability, by broker and capability. */
export type ExamplesReport = Record<
  string,
  Record<string, readonly { readonly file: string; readonly passed: boolean }[]>
>;

const words: Record<(typeof capabilityNames)[number], string> = {
  priority: 'Priority',
  rateLimit: 'Rate limit',
  concurrency: 'Concurrency',
  orderPerKey: 'Order per key, of jobs',
  broadcast: 'Broadcast',
  eventOrder: 'Order per key, of events',
  replay: 'Replay',
  delay: 'Delay',
  retry: 'Retry',
  deadLetter: 'Dead letter',
};

const supportWords: Record<Support, string> = { native: 'the broker', bus: 'this library', none: 'no' };

/** The capabilities that each broker has itself, and the example that shows each. */
export function nativeTable(examples: ExamplesReport): string {
  const brokers = requestableBrokers.filter((broker) => broker in examples);
  const shown = new Set(brokers.flatMap((broker) => Object.keys(examples[broker]!)));
  const rows = capabilityNames
    .filter((name) => shown.has(name))
    .map((name) => [words[name], ...brokers.map((broker) => linksOf(examples[broker]![name]))]);
  return table(['By itself', ...brokers], rows);
}

/** Who provides each capability on each driver, and how many scenarios of the suite show it. */
export function libraryTable(report: ConformanceReport): string {
  const drivers = Object.keys(report);
  const rows = capabilityNames.map((name) => [
    words[name],
    ...drivers.map((driver) => supportWords[report[driver]!.capabilities[name]]),
  ]);
  const scenarios = drivers.map((driver) => {
    const { passed, failed, skipped } = report[driver]!;
    return `${passed} of ${passed + failed + skipped}`;
  });
  return table(['With this library', ...drivers], [...rows, ['Conformance tests passed', ...scenarios]]);
}

function linksOf(found: ExamplesReport[string][string] | undefined): string {
  const links = (found ?? [])
    .filter(({ passed }) => passed)
    .map(({ file }) => file)
    .sort()
    .map((file) => `[${file.replace(/^examples\/[^/]+\/|\.ts$/g, '')}](../${file})`);
  return links.length > 0 ? links.join(', ') : '–';
}

/** Formats a table as prettier does. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column]!.length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}
