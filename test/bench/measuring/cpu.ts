import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ: the unit of /proc, on every Linux that Node runs on. */
const ticksPerSecond = 100;

interface ProcessTimes {
  readonly parent: number;
  readonly ticks: number;
}

/**
 * The CPU seconds that all descendants of this process have used so far: servers, workers, PostgreSQL with its
 * backends.
 * @returns undefined when there is no /proc
 */
export function cpuSecondsOfChildren(): number | undefined {
  const processes = readProcesses();
  if (processes.size === 0) return undefined;
  let ticks = 0;
  for (const [pid, times] of processes) if (pid !== process.pid && isBelowThis(pid)) ticks += times.ticks;
  return ticks / ticksPerSecond;

  function isBelowThis(pid: number): boolean {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = processes.get(at)?.parent) {
      if (at === process.pid) return true;
    }
    return false;
  }
}

function readProcesses(): Map<number, ProcessTimes> {
  const processes = new Map<number, ProcessTimes>();
  for (const entry of process.platform === 'linux' ? readdirSync('/proc') : []) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      // proc_pid_stat(5): the name in parentheses may contain anything; the fields after it begin with the third.
      const fields = readFileSync(`/proc/${entry}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
        .map(Number);
      // utime, stime and both values of its ended children: an ended backend is counted in its parent.
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + field, 0);
      processes.set(Number(entry), { parent: fields[1]!, ticks });
    } catch {
      // The process has ended meanwhile.
    }
  }
  return processes;
}
