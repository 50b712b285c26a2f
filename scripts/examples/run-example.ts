import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { missingLine, type Example } from './example';
import { serverNames, servers, type Addresses } from './servers';

export interface Run {
  readonly example: Example;
  readonly output: string;
  readonly tookMs: number;
  /** Empty when the example did what its header says. */
  readonly faults: readonly string[];
}

/** Every example ends by itself well before this time, in milliseconds. */
const longestMs = 60_000;

/**
 * Runs the built example in a process of its own, as a user would.
 * @param addresses of the servers that it needs, and of those that it can do without
 * @param onOutput gets its output as it is printed
 */
export async function runExample(
  projectFolder: string,
  example: Example,
  { addresses, onOutput }: { addresses: Addresses; onOutput?: (text: string) => void },
): Promise<Run> {
  const startedAt = performance.now();
  const script = join(projectFolder, 'dist', example.file.replace(/\.ts$/, '.js'));
  const child = spawn(process.execPath, ['--enable-source-maps', script], {
    cwd: projectFolder,
    env: { ...process.env, ...variablesOf(addresses) },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: longestMs,
    killSignal: 'SIGKILL',
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      onOutput?.(text);
    });
  }
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];

  const faults: string[] = [];
  if (signal !== null) faults.push(`ended by ${signal} after ${Math.round(performance.now() - startedAt)} ms`);
  else if (code !== 0) faults.push(`ended with exit code ${code}`);
  const missing = missingLine(example.expect, output);
  if (missing !== undefined) faults.push(`its header promises a line that it did not print: ${missing}`);
  return { example, output, tookMs: Math.round(performance.now() - startedAt), faults };
}

const variablesOf = (addresses: Addresses): NodeJS.ProcessEnv =>
  Object.fromEntries(
    serverNames.filter((server) => addresses[server]).map((server) => [servers[server].variable, addresses[server]]),
  );

/** By broker and capability: the examples that show it, and whether they passed. */
export type ExamplesReport = Record<string, Record<string, { file: string; passed: boolean }[]>>;

/** Writes `reports/examples.json`, the source of the native capabilities in the documentation. */
export function writeReport(projectFolder: string, runs: readonly Run[]): void {
  const report: ExamplesReport = {};
  for (const { example, faults } of runs) {
    const [server, ...others] = example.needs;
    if (server === undefined || others.length > 0) continue; // It shows no capability of one broker.
    const capabilities = (report[servers[server].folder] ??= {});
    for (const capability of example.shows) {
      (capabilities[capability] ??= []).push({ file: example.file, passed: faults.length === 0 });
    }
  }
  mkdirSync(join(projectFolder, 'reports'), { recursive: true });
  writeFileSync(join(projectFolder, 'reports/examples.json'), `${JSON.stringify(report, null, 2)}\n`);
}
