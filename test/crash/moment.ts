let left = Number(process.env['DIE_AT'] ?? 0);

/** A point between two steps of a process. With `DIE_AT=n` the process kills itself at the nth call. */
export function moment(): void {
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
}
