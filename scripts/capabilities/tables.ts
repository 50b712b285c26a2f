import { requestableBrokers } from '@app/contracts';
import { capabilityNames, type Capabilities, type Support } from '@app/messaging';
import type { ExamplesReport } from '../examples/run-example';
import type { Words } from './words';

/** `reports/conformance.json`: the results of the conformance suite, by driver. */
export type ConformanceReport = Record<
  string,
  { readonly passed: number; readonly failed: number; readonly skipped: number; readonly capabilities: Capabilities }
>;

/**
 * The capabilities that each broker has itself, and the example that shows each.
 * @param root the way from the folder of the page to the root of the repository, such as `../`
 */
export function nativeTable(examples: ExamplesReport, words: Words, root: string): string {
  const brokers = requestableBrokers.filter((broker) => broker in examples);
  const shown = new Set(brokers.flatMap((broker) => Object.keys(examples[broker]!)));
  const rows = capabilityNames
    .filter((name) => shown.has(name))
    .map((name) => [words.capabilities[name], ...brokers.map((broker) => linksOf(examples[broker]![name], root))]);
  return table([words.byItself, ...brokers], rows);
}

/** Who provides each capability on each driver, and how many scenarios of the suite show it. */
export function libraryTable(report: ConformanceReport, words: Words): string {
  const drivers = Object.keys(report);
  const supportOf = (driver: string, name: keyof Capabilities): Support => report[driver]!.capabilities[name];
  const rows = capabilityNames.map((name) => [
    words.capabilities[name],
    ...drivers.map((driver) => words.supports[supportOf(driver, name)]),
  ]);
  const scenarios = drivers.map((driver) => {
    const { passed, failed, skipped } = report[driver]!;
    return words.passedOf(passed, passed + failed + skipped);
  });
  return table([words.withThisLibrary, ...drivers], [...rows, [words.testsPassed, ...scenarios]]);
}

function linksOf(found: ExamplesReport[string][string] | undefined, root: string): string {
  const links = (found ?? [])
    .filter(({ passed }) => passed)
    .map(({ file }) => file)
    .sort()
    .map((file) => `[${file.replace(/^examples\/[^/]+\/|\.ts$/g, '')}](${root}${file})`);
  return links.length > 0 ? links.join(', ') : '–';
}

/** How many columns a text takes: a Chinese character and its punctuation take two. */
function widthOf(text: string): number {
  return text.length + (text.match(/[\p{Script=Han}\u3000-\u303f\uff01-\uff60]/gu)?.length ?? 0);
}

/** Formats a table as prettier does. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => widthOf(row[column]!))));
  const pad = (cell: string, width: number) => cell + ' '.repeat(width - widthOf(cell));
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => pad(cell, widths[column]!)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}
