import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { missingLine, type Example } from './example';
import { addressOf, servers } from './servers';

export interface Run {
  readonly example: Example;
  readonly output: string;
  readonly tookMs: number;
  /** Empty when it did what its header says. */
  readonly faults: readonly string[];
}

/** Every example ends by itself long before that. */
const longestMs = 60_000;

/**
 * Runs an example as a person would: what is built of it, in a process of its own.
 * @param address of the server that it needs, if not where the environment says
 * @param onOutput what it prints, as it prints it
 */
export async function runExample(
  projectFolder: string,
  example: Example,
  { address = addressOf(example.needs), onOutput }: { address?: string; onOutput?: (text: string) => void } = {},
): Promise<Run> {
  const startedAt = performance.now();
  const script = join(projectFolder, 'dist', example.file.replace(/\.ts$/, '.js'));
  const child = spawn(process.execPath, ['--enable-source-maps', script], {
    cwd: projectFolder,
    env: { ...process.env, [servers[example.needs].variable]: address },
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
