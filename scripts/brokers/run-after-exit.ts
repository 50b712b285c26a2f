import { spawn } from 'node:child_process';

/**
 * Runs a command when this process is gone without having taken it back, even after a SIGKILL: it waits for the end
 * of a pipe, which the system closes with its last holder.
 * @returns takes it back
 */
export function runAfterExit(...command: readonly string[]): () => void {
  const watcher = spawn('sh', ['-c', 'read -r _; "$@"', 'sh', ...command], {
    detached: true, // Ctrl-C in a terminal is not for it.
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.on('error', () => undefined); // A system without `sh` has nobody who watches.
  return () => watcher.kill('SIGKILL');
}
