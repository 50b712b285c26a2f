import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { systemEnvironment } from '../system-environment.cjs';

const stopMs = 30_000;

export interface ServerProcess {
  hasEnded(): boolean;
  /** The last 10 kB that it has printed. */
  output(): string;
  /** Sends SIGKILL to the process and its group. Resolves when it has ended. */
  kill(): Promise<void>;
  /** Sends SIGTERM, and SIGKILL after 30 s. */
  stop(): Promise<void>;
}

/**
 * Starts a process in its own process group, so that Ctrl-C in a terminal does not reach it. It is killed when this
 * process has ended.
 * @param name for the message that says that it ended unexpectedly
 */
export async function startServer(
  name: string,
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = systemEnvironment(),
): Promise<ServerProcess> {
  const child = spawn(program, args, { env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-10_000)));
  }
  await once(child, 'spawn');
  const group = child.pid!;
  const takeBack = runAfterExit('kill', '-9', `-${group}`);
  let isAsked = false;
  child.once('exit', (code, signal) => {
    takeBack();
    if (!isAsked) process.stderr.write(`${name} ended by itself (${signal ?? `code ${code}`}).\n`);
  });

  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const end = async (signal: () => void): Promise<void> => {
    isAsked = true;
    if (hasEnded()) return;
    const ended = once(child, 'exit');
    signal();
    await ended;
  };
  const kill = () => end(() => process.kill(-group, 'SIGKILL'));
  return {
    hasEnded,
    output: () => said.trim(),
    kill,
    stop: async () => {
      const patience = new AbortController();
      void delay(stopMs, undefined, { signal: patience.signal }).then(kill, () => undefined);
      await end(() => child.kill('SIGTERM'));
      patience.abort();
    },
  };
}

/**
 * Runs a command when this process ends before it was cancelled, even by SIGKILL: a child waits for the end of a pipe,
 * which the system closes with its last holder.
 * @returns cancels it
 */
export function runAfterExit(...command: readonly string[]): () => void {
  const watcher = spawn('sh', ['-c', 'read -r _; "$@"', 'sh', ...command], {
    detached: true, // Ctrl-C in a terminal must not reach it.
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.on('error', () => undefined); // Without `sh`, nothing runs after the exit.
  return () => watcher.kill('SIGKILL');
}
