import '../../libs/configuration/src/check-node.cjs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { allBrokers } from '../../scripts/brokers/find';
import { setUpBrokers } from '../support/brokers';
import { projectFolder } from '../support/postgres';
import { tearDown } from '../support/run-folder';
import { setUp } from '../support/set-up';
import { sabotages, type Sabotage } from './sabotages';

/** A test that waits longer than this has failed. */
const testTimeoutMs = 20_000;
/** A sabotaged test mostly waits, so several can run at once. */
const specsAtOnce = 5;

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
 * Switches off one protection after another, in a copy of the project, and checks that its tests fail. Without the
 * sabotage the same tests have to pass, because a test that always fails proves nothing. `npm run test:sabotage --
 * 'RabbitMQ|Kafka'` runs the sabotages whose names match.
 */
async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sabotage-'));
  try {
    // Once for all runs of Jest, because each run would otherwise start its own servers.
    await setUp(() => setUpBrokers(allBrokers));
    for (const name of copied) cpSync(join(projectFolder, name), join(folder, name), { recursive: true });
    symlinkSync(join(projectFolder, 'node_modules'), join(folder, 'node_modules'));
    const pattern = new RegExp(process.argv[2] ?? '');
    const wanted = sabotages.filter(({ name }) => pattern.test(name));
    for (const sabotage of wanted) assertFound(folder, sabotage);
    const before = await runAll(folder, wanted);
    const rows: Row[] = [];
    for (const sabotage of wanted) rows.push(await tryOne(folder, sabotage, before));
    process.stdout.write(`\n${rows.map(({ line }) => line).join('\n')}\n`);
    const unnoticed = rows.filter(({ isNoticed }) => !isNoticed).length;
    process.stdout.write(`\n${rows.length - unnoticed} of ${rows.length} sabotages were noticed\n`);
    process.exitCode = unnoticed === 0 ? 0 : 1;
  } finally {
    await tearDown();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @throws Error for a sabotage that would change nothing, or more than one place */
function assertFound(folder: string, { name, file, find }: Sabotage): void {
  const times = readFileSync(join(folder, file), 'utf8').split(find).length - 1;
  if (times !== 1) throw new Error(`${name}: expected to find once in ${file}, found ${times} times: ${find}`);
}

interface Row {
  readonly line: string;
  readonly isNoticed: boolean;
}

async function tryOne(folder: string, sabotage: Sabotage, before: Colours): Promise<Row> {
  const { name, file, find, replace, specs, test } = sabotage;
  const path = join(folder, file);
  const original = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    original.replace(find, () => replace),
  );
  const after = await run(folder, specs, [test]);
  writeFileSync(path, original);
  const cells = specs.map((spec) => {
    const [was, is] = [before.of(spec, test), after.of(spec, test)];
    return { text: `${labelOf(spec)} ${was} -> ${is}`, isNoticed: was === 'green' && is === 'red' };
  });
  const isNoticed = cells.every((cell) => cell.isNoticed);
  const verdict = isNoticed ? 'noticed' : 'NOT NOTICED';
  const line = `${name.padEnd(54)} ${test.padEnd(48)} ${verdict.padEnd(11)} ${cells.map(({ text }) => text).join(', ')}`;
  process.stdout.write(`${line}\n`);
  return { line, isNoticed };
}

/** Runs the tests of all sabotages without any sabotage, one run for each Jest project. */
async function runAll(folder: string, wanted: readonly Sabotage[]): Promise<Colours> {
  const all = new Colours();
  for (const project of new Set(wanted.flatMap(({ specs }) => specs.map(projectOf)))) {
    const here = wanted.filter(({ specs }) => projectOf(specs[0]!) === project);
    const specs = [...new Set(here.flatMap((sabotage) => sabotage.specs))];
    all.add(await run(folder, specs, [...new Set(here.map(({ test }) => test))]));
  }
  return all;
}

type Colour = 'green' | 'red' | 'none';

/** The results of tests. `none`: no test ran; the sabotage broke the build, or the test has another name. */
class Colours {
  private readonly seen: { spec: string; title: string; colour: Colour }[] = [];

  record(spec: string, title: string, colour: Colour): void {
    this.seen.push({ spec, title, colour });
  }

  add(others: Colours): void {
    this.seen.push(...others.seen);
  }

  of(spec: string, test: string): Colour {
    const colours = this.seen.flatMap((one) =>
      one.spec.endsWith(spec) && one.title.includes(test) ? [one.colour] : [],
    );
    return colours.includes('red') ? 'red' : (colours[0] ?? 'none');
  }
}

async function run(folder: string, specs: readonly string[], tests: readonly string[]): Promise<Colours> {
  const report = join(folder, 'report.json');
  rmSync(report, { force: true });
  const addresses = allBrokers.map(({ variable }) => [variable, process.env[`TEST_${variable}`] ?? '']);
  const child = spawn(
    process.execPath,
    [
      join(folder, 'node_modules/jest/bin/jest.js'),
      '--selectProjects',
      projectOf(specs[0]!),
      '--testNamePattern',
      tests.map((test) => test.replace(/[^\w -]/g, '.')).join('|'),
      `--testTimeout=${tests.length > 1 ? 6 * testTimeoutMs : testTimeoutMs}`,
      `--maxWorkers=${tests.length > 1 ? 2 : specsAtOnce}`,
      '--forceExit',
      '--json',
      `--outputFile=${report}`,
      '--',
      ...specs,
    ],
    { cwd: folder, env: { ...process.env, ...Object.fromEntries(addresses) }, stdio: 'ignore' },
  );
  await once(child, 'exit');
  return readReport(report);
}

function readReport(path: string): Colours {
  const colours = new Colours();
  const { testResults } = JSON.parse(readFileSync(path, 'utf8')) as {
    testResults: { name: string; assertionResults: { fullName: string; status: string }[] }[];
  };
  for (const { name, assertionResults } of testResults) {
    for (const { fullName, status } of assertionResults) {
      if (status === 'passed' || status === 'failed')
        colours.record(name, fullName, status === 'passed' ? 'green' : 'red');
    }
  }
  return colours;
}

function projectOf(spec: string): string {
  return /test\/(\w+)\//.exec(spec)?.[1] ?? 'unit';
}

function labelOf(spec: string): string {
  return spec.includes('/faults/') ? 'faults' : basename(spec, '.spec.ts');
}

void main();
