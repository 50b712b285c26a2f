import { spawn } from 'node:child_process';

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
