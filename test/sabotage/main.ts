import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFolder } from '../support/postgres';
import { sabotages, type Sabotage } from './sabotages';

/** A test that waits for what never comes has failed by then. */
const testTimeoutMs = 20_000;

const copied = [
  'apps',
  'libs',
  'test',
  'scripts',
  'prisma',
  'dist',
  'jest.config.js',
  '.swcrc',
  'package.json',
  'tsconfig.json',
  'nest-cli.json',
];

/**
 * Takes one protection after the other away, in a copy of the project, and sees whether its test notices. Without the
 * sabotage the same test has to pass: one that always fails proves nothing.
 */
function main(): void {
  const folder = mkdtempSync(join(tmpdir(), 'sabotage-'));
  try {
    for (const name of copied) cpSync(join(projectFolder, name), join(folder, name), { recursive: true });
    symlinkSync(join(projectFolder, 'node_modules'), join(folder, 'node_modules'));
    const wanted = process.argv[2] ?? '';
    const rows = sabotages.filter(({ name }) => name.includes(wanted)).map((sabotage) => tryOne(folder, sabotage));
    process.stdout.write(`\n${rows.map(({ line }) => line).join('\n')}\n`);
    const unnoticed = rows.filter(({ isNoticed }) => !isNoticed).length;
    process.stdout.write(`\n${rows.length - unnoticed} of ${rows.length} sabotages were noticed\n`);
    process.exitCode = unnoticed === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tryOne(folder: string, sabotage: Sabotage): { line: string; isNoticed: boolean } {
  const { name, file, find, replace, spec, test } = sabotage;
  const path = join(folder, file);
  const original = readFileSync(path, 'utf8');
  if (original.split(find).length !== 2) throw new Error(`${name}: expected to find once in ${file}: ${find}`);
  const before = run(folder, spec, test);
  writeFileSync(
    path,
    original.replace(find, () => replace),
  );
  const after = run(folder, spec, test);
  writeFileSync(path, original);
  const isNoticed = before === 'green' && after === 'red';
  const line = `${name.padEnd(50)} ${test.padEnd(38)} ${before.padEnd(6)} -> ${after.padEnd(6)} ${isNoticed ? 'noticed' : 'NOT NOTICED'}`;
  process.stdout.write(`${line}\n`);
  return { line, isNoticed };
}

/** @returns `none` when no test ran at all: then the sabotage broke the build, or the test has another name */
function run(folder: string, spec: string, test: string): 'green' | 'red' | 'none' {
  const report = join(folder, 'report.json');
  rmSync(report, { force: true });
  const project = /test\/(\w+)\//.exec(spec)?.[1] ?? 'unit';
  spawnSync(
    process.execPath,
    [
      join(folder, 'node_modules/jest/bin/jest.js'),
      '--selectProjects',
      project,
      '--testNamePattern',
      test.replace(/[^\w -]/g, '.'),
      `--testTimeout=${testTimeoutMs}`,
      '--forceExit',
      '--json',
      `--outputFile=${report}`,
      '--',
      spec,
    ],
    { cwd: folder, stdio: 'ignore', timeout: 6 * testTimeoutMs },
  );
  const { numPassedTests: passed, numFailedTests: failed } = readReport(report);
  return failed > 0 ? 'red' : passed > 0 ? 'green' : 'none';
}

function readReport(path: string): { numPassedTests: number; numFailedTests: number } {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as { numPassedTests: number; numFailedTests: number };
  } catch {
    return { numPassedTests: 0, numFailedTests: 0 };
  }
}

main();
