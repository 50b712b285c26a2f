import '../../libs/configuration/src/check-node.cjs';
import { join } from 'node:path';
import { findExamples, type Example } from './example';
import { writeReport } from './report';
import { runExample, type Run } from './run-example';
import { addressOf, answers, serverNames, servers } from './servers';

const projectFolder = join(__dirname, '../../..');

/** Runs the named examples (`kafka`, `rabbitmq/topic`), or all, one after another. */
async function main(names: readonly string[]): Promise<boolean> {
  const all = findExamples(projectFolder);
  const chosen = choose(all, names);
  const skipped = await unreachable(chosen);
  const runs: Run[] = [];
  for (const example of chosen.filter((one) => !skipped.includes(one))) {
    say(`\n=== ${nameOf(example)}: ${example.summary}\n\n`);
    const run = await runExample(projectFolder, example, { onOutput: say });
    for (const fault of run.faults) say(`\nFAILED: ${fault}\n`);
    runs.push(run);
  }
  // A run of some examples does not cover the others, so the report stays that of the last full run.
  if (chosen.length === all.length) writeReport(projectFolder, runs);
  printTable(runs, skipped);
  return runs.length > 0 && runs.every(({ faults }) => faults.length === 0);
}

function choose(all: readonly Example[], names: readonly string[]): readonly Example[] {
  const fits = (example: Example, name: string): boolean => `${nameOf(example)}/`.startsWith(`${name}/`);
  const unknown = names.find((name) => !all.some((example) => fits(example, name)));
  if (unknown !== undefined) {
    throw new Error(`There is no example "${unknown}". There are: ${all.map(nameOf).join(', ')}.`);
  }
  return names.length === 0 ? all : all.filter((example) => names.some((name) => fits(example, name)));
}

async function unreachable(examples: readonly Example[]): Promise<Example[]> {
  const skipped: Example[] = [];
  for (const server of serverNames) {
    const affected = examples.filter(({ needs }) => needs === server);
    if (affected.length === 0 || (await answers(server))) continue;
    say(`\n!!! SKIPPED: ${server} does not answer at ${withoutPassword(addressOf(server))}. `);
    say(`Examples that need it: ${affected.length}. Start it, or set ${servers[server].variable}.\n`);
    skipped.push(...affected);
  }
  return skipped;
}

function printTable(runs: readonly Run[], skipped: readonly Example[]): void {
  say('\n');
  for (const { example, faults, tookMs } of runs) {
    say(
      `${nameOf(example).padEnd(26)} ${faults.length === 0 ? 'ok    ' : 'FAILED'} ${String(tookMs).padStart(6)} ms\n`,
    );
  }
  for (const example of skipped) say(`${nameOf(example).padEnd(26)} skipped\n`);
  const failed = runs.filter(({ faults }) => faults.length > 0).length;
  if (runs.length === 0) say('\nNothing was run.\n');
  say(`\n${runs.length - failed} ok, ${failed} failed, ${skipped.length} skipped\n`);
}

function nameOf({ file }: Example): string {
  return file.replace(/^examples\//, '').replace(/\.ts$/, '');
}

function withoutPassword(address: string): string {
  return address.replace(/\/\/[^@/]*@/, '//');
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
