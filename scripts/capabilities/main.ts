import '../../libs/configuration/src/check-node.cjs';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { libraryTable, nativeTable, type ConformanceReport, type ExamplesReport } from './tables';

const projectFolder = join(__dirname, '../../..');
const page = join(projectFolder, 'docs/02-queue-comparison.md');
const begin = '<!-- npm run capabilities: from here … -->';
const end = '<!-- … to here -->';

/**
 * `npm run capabilities` writes the tables of docs/02-queue-comparison.md from the reports of the tests, and from
 * nothing else. With `--check` it writes nothing, and fails when the page differs.
 */
function main(): void {
  const conformance = read('reports/conformance.json', 'npm run test:conformance') as ConformanceReport;
  const examples = read('reports/examples.json', 'npm run test:examples') as ExamplesReport;
  const untested = Object.entries(conformance).filter(([, { passed }]) => passed === 0);
  if (untested.length > 0) {
    refuse(`There was no broker for ${untested.map(([driver]) => driver).join(', ')}: run the tests with all of them.`);
  }
  const old = readFileSync(page, 'utf8');
  const [before, rest] = old.split(begin);
  const [, after] = rest?.split(end) ?? [];
  if (before === undefined || after === undefined) refuse(`Expected "${begin}" and "${end}" in ${page}.`);
  const tables = `${nativeTable(examples)}\n\n${libraryTable(conformance)}`;
  const fresh = `${before}${begin}\n\n${tables}\n\n${end}${after}`;
  if (fresh === old) return;
  if (process.argv.includes('--check')) {
    refuse('docs/02-queue-comparison.md does not match the results of the tests: npm run capabilities updates it.');
  }
  writeFileSync(page, fresh);
}

function read(path: string, howToGet: string): unknown {
  const file = join(projectFolder, path);
  if (!existsSync(file)) refuse(`There is no ${path}; ${howToGet} writes it, with all brokers.`);
  return JSON.parse(readFileSync(file, 'utf8'));
}

function refuse(why: string): never {
  process.stderr.write(`${why}\n`);
  process.exit(1);
}

main();
