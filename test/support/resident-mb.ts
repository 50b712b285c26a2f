import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What a process has in memory now. */
export function residentMb({ pid }: ChildProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
}
