let left = Number(process.env['DIE_AT'] ?? 0);

/** Between two steps that a process takes one after the other: the nth time, with `DIE_AT=n`, it gets no further. */
export function moment(): void {
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
}
