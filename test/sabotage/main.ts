import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allBrokers } from '../../scripts/brokers/all';
import { setUpBrokers } from '../support/brokers';
import { projectFolder } from '../support/postgres';
import { tearDown } from '../support/run-folder';
import { setUp } from '../support/set-up';
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
async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sabotage-'));
  try {
    // Once, for all runs of Jest: each would start its own.
    await setUp(() => setUpBrokers(allBrokers));
    for (const name of copied) cpSync(join(projectFolder, name), join(folder, name), { recursive: true });
    symlinkSync(join(projectFolder, 'node_modules'), join(folder, 'node_modules'));
    const wanted = process.argv[2] ?? '';
    const rows: Awaited<ReturnType<typeof tryOne>>[] = [];
    for (const sabotage of sabotages.filter(({ name }) => name.includes(wanted))) {
      rows.push(await tryOne(folder, sabotage));
    }
    process.stdout.write(`\n${rows.map(({ line }) => line).join('\n')}\n`);
    const unnoticed = rows.filter(({ isNoticed }) => !isNoticed).length;
    process.stdout.write(`\n${rows.length - unnoticed} of ${rows.length} sabotages were noticed\n`);
    process.exitCode = unnoticed === 0 ? 0 : 1;
  } finally {
    await tearDown();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function tryOne(folder: string, sabotage: Sabotage): Promise<{ line: string; isNoticed: boolean }> {
  const { name, file, find, replace, spec, test } = sabotage;
  const path = join(folder, file);
  const original = readFileSync(path, 'utf8');
  if (original.split(find).length !== 2) throw new Error(`${name}: expected to find once in ${file}: ${find}`);
  const before = await run(folder, spec, test);
  writeFileSync(
    path,
    original.replace(find, () => replace),
  );
  const after = await run(folder, spec, test);
  writeFileSync(path, original);
  const isNoticed = before === 'green' && after === 'red';
  const line = `${name.padEnd(50)} ${test.padEnd(38)} ${before.padEnd(6)} -> ${after.padEnd(6)} ${isNoticed ? 'noticed' : 'NOT NOTICED'}`;
  process.stdout.write(`${line}\n`);
  return { line, isNoticed };
}

/** @returns `none` when no test ran at all: then the sabotage broke the build, or the test has another name */
async function run(folder: string, spec: string, test: string): Promise<'green' | 'red' | 'none'> {
  const report = join(folder, 'report.json');
  rmSync(report, { force: true });
  const project = /test\/(\w+)\//.exec(spec)?.[1] ?? 'unit';
  const addresses = allBrokers.map(({ variable }) => [variable, process.env[`TEST_${variable}`] ?? '']);
  const child = spawn(
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
    {
      cwd: folder,
      env: { ...process.env, ...Object.fromEntries(addresses) },
      stdio: 'ignore',
      timeout: 6 * testTimeoutMs,
    },
  );
  await once(child, 'exit');
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

void main();
