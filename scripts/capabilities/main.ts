import '../../libs/configuration/src/check-node.cjs';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExamplesReport } from '../examples/run-example';
import { libraryTable, nativeTable, type ConformanceReport } from './tables';
import { chinese, english } from './words';

const projectFolder = join(__dirname, '../../..');
const pages = [
  { file: 'docs/02-queue-comparison.md', root: '../', words: english },
  { file: 'docs/zh-CN/02-queue-comparison.md', root: '../../', words: chinese },
];
const begin = '<!-- npm run capabilities: from here … -->';
const end = '<!-- … to here -->';

/**
 * `npm run capabilities` writes the tables of docs/02-queue-comparison.md and of its Chinese version from the reports of
 * the tests, and from nothing else. With `--check` it writes nothing, and fails when a page differs.
 */
function main(): void {
  const conformance = read('reports/conformance.json', 'npm run test:conformance') as ConformanceReport;
  const examples = read('reports/examples.json', 'npm run test:examples') as ExamplesReport;
  const untested = Object.entries(conformance).filter(([, { passed }]) => passed === 0);
  if (untested.length > 0) {
    refuse(`There was no broker for ${untested.map(([driver]) => driver).join(', ')}: run the tests with all of them.`);
  }
  const stale = pages.flatMap(({ file, root, words }) => {
    const old = readFileSync(join(projectFolder, file), 'utf8');
    const tables = `${nativeTable(examples, words, root)}\n\n${libraryTable(conformance, words)}`;
    const fresh = withTables(file, old, tables);
    return fresh === old ? [] : [{ file, fresh }];
  });
  if (process.argv.includes('--check') && stale.length > 0) {
    const files = stale.map(({ file }) => file).join(' and ');
    refuse(`Not as the results of the tests: ${files}. npm run capabilities writes the tables again.`);
  }
  for (const { file, fresh } of stale) writeFileSync(join(projectFolder, file), fresh);
}

function withTables(file: string, page: string, tables: string): string {
  const [before, rest] = page.split(begin);
  const [, after] = rest?.split(end) ?? [];
  if (before === undefined || after === undefined) refuse(`Expected "${begin}" and "${end}" in ${file}.`);
  return `${before}${begin}\n\n${tables}\n\n${end}${after}`;
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
