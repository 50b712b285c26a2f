import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { missingLine, type Example } from './example';
import { addressOf, servers } from './servers';

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
 * @param address of the server that it needs, if not the one in the environment
 * @param onOutput gets its output as it is printed
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
