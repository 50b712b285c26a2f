import '../../libs/configuration/src/check-node.cjs';
import { join } from 'node:path';
import { findExamples, type Example } from './example';
import { runExample, writeReport, type Run } from './run-example';
import { createTemporaryDatabase } from '../postgres/temporary-database';
import { findServers } from './find-servers';
import { serverNames, type Addresses } from './servers';

const projectFolder = join(__dirname, '../../..');

/** Runs the named examples (`kafka`, `rabbitmq/topic`), or all, one after another. */
async function main(names: readonly string[]): Promise<boolean> {
  const all = findExamples(projectFolder);
  const chosen = choose(all, names);
  const needed = serverNames.filter((server) => chosen.some(({ needs }) => needs.includes(server)));
  say(`Looking for ${needed.join(', ')}…\n`);
  const found = await findServers(projectFolder, needed);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void found.stop().finally(() => process.exit(1)));
  }
  const canRun = ({ needs }: Example): boolean => !needs.some((server) => found.lacking.has(server));
  const runs: Run[] = [];
  try {
    for (const example of chosen.filter(canRun)) {
      say(`\n=== ${nameOf(example)}: ${example.summary}\n\n`);
      const run = await runWithDatabase(example, found.addresses);
      for (const fault of run.faults) say(`\nFAILED: ${fault}\n`);
      runs.push(run);
    }
  } finally {
    await found.stop();
  }
  // A run of some examples does not cover the others, so the report stays that of the last full run.
  if (chosen.length === all.length) writeReport(projectFolder, runs);
  const skipped = chosen.filter((example) => !canRun(example));
  printTable(runs, skipped);
  for (const [server, reason] of found.lacking) {
    const affected = skipped.filter(({ needs }) => needs.includes(server)).length;
    say(`SKIPPED: ${affected} need ${server}. ${reason}\n`);
  }
  return runs.length > 0 && runs.every(({ faults }) => faults.length === 0);
}

/** An example that needs PostgreSQL gets a database of its own on that server. */
async function runWithDatabase(example: Example, addresses: Addresses): Promise<Run> {
  if (!example.needs.includes('postgres')) return runExample(projectFolder, example, { addresses, onOutput: say });
  const database = await createTemporaryDatabase(projectFolder, addresses.postgres!);
  try {
    const own = { ...addresses, postgres: database.url };
    return await runExample(projectFolder, example, { addresses: own, onOutput: say });
  } finally {
    await database.drop();
  }
}

function choose(all: readonly Example[], names: readonly string[]): readonly Example[] {
  const fits = (example: Example, name: string): boolean => `${nameOf(example)}/`.startsWith(`${name}/`);
  const unknown = names.find((name) => !all.some((example) => fits(example, name)));
  if (unknown !== undefined) {
    throw new Error(`There is no example "${unknown}". There are: ${all.map(nameOf).join(', ')}.`);
  }
  return names.length === 0 ? all : all.filter((example) => names.some((name) => fits(example, name)));
}

function printTable(runs: readonly Run[], skipped: readonly Example[]): void {
  say('\n');
  for (const { example, faults, tookMs } of runs) {
    say(
      `${nameOf(example).padEnd(30)} ${faults.length === 0 ? 'ok    ' : 'FAILED'} ${String(tookMs).padStart(6)} ms\n`,
    );
  }
  for (const example of skipped) say(`${nameOf(example).padEnd(30)} skipped\n`);
  const failed = runs.filter(({ faults }) => faults.length > 0).length;
  if (runs.length === 0) say('\nNothing was run.\n');
  say(`\n${runs.length - failed} ok, ${failed} failed, ${skipped.length} skipped\n`);
}

function nameOf({ file }: Example): string {
  return file.replace(/^examples\//, '').replace(/\.ts$/, '');
}

function say(text: string): void {
  process.stdout.write(text);
}

main(process.argv.slice(2).map((name) => name.replace(/^examples\//, '').replace(/\.ts$|\/$/, ''))).then(
  (passed) => process.exit(passed ? 0 : 1),
  (error: unknown) => {
    process.stderr.write(`run-examples: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
