import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The present resident memory of a process. */
export function residentMb({ pid }: ChildProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
}
