import { chmodSync, mkdtempSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectFolder } from '../../support/postgres';
import { npmStart } from '../../support/start';
import { endingWith } from '../measuring/ending';
import { printTable, shownRatio, shownSpread } from '../measuring/table';
import { inTurns } from '../measuring/turns';
import { withRevision } from './revision';

export interface StartOptions {
  readonly repeats: number;
  /** How long the system is idle before its memory is read, in seconds. */
  readonly idle: number;
  /** The revision to compare with; undefined: only this build is measured. */
  readonly base: string | undefined;
}

interface Turn {
  /** From the start of the command to the line `ready …`. */
  readonly readySeconds: number;
  /** The memory of all Node processes together; pages that they share count once. PostgreSQL is not included. */
  readonly memoryMb: number;
  readonly processes: number;
}

/**
 * Measures `npm start` without its build: this build, all its workers in one process, and another revision, in turns.
 */
export async function benchStart({ repeats, idle, base }: StartOptions): Promise<void> {
  if (process.platform !== 'linux') {
    throw new Error('bench start reads the memory of processes from /proc/PID/smaps_rollup, which only Linux has.');
  }
  const startOf =
    (folder: string, ...args: string[]) =>
    (seconds: number) =>
      startTurn(folder, args, seconds);
  const here = { 'this build': startOf(projectFolder), '--one-process': startOf(projectFolder, '--one-process') };
  if (base === undefined) {
    await measure(repeats, idle, here);
    return;
  }
  await withRevision(base, (folder) => measure(repeats, idle, { ...here, [base]: startOf(folder) }));
}

async function measure(
  repeats: number,
  idle: number,
  contenders: Record<string, (idle: number) => Promise<Turn>>,
): Promise<void> {
  process.stderr.write('  a first start of each, which is not measured, fills the caches\n');
  for (const turn of Object.values(contenders)) await turn(0);
  const turns = await inTurns(
    repeats,
    Object.fromEntries(Object.entries(contenders).map(([name, turn]) => [name, () => turn(idle)])),
  );
  const of = (name: string, key: keyof Turn) => turns[name]!.map((turn) => turn[key]);
  process.stdout.write(
    `\nstart: to the line "ready", and memory after ${idle} idle s; ${repeats} turns, Node ${process.version}\n`,
  );
  printTable([
    ['', 'ready, s', 'memory, MB', 'Node processes'],
    ...Object.keys(turns).map((name) => [
      name,
      shownSpread(of(name, 'readySeconds'), 2),
      shownSpread(of(name, 'memoryMb'), 0),
      shownSpread(of(name, 'processes'), 0),
    ]),
  ]);
  const [here, together, base] = Object.keys(turns) as [string, string, string | undefined];
  if (base === undefined) return;
  process.stdout.write('\n');
  printTable([
    ['ratio of one turn', 'ready', 'memory'],
    ...[here, together].map((name) => [
      `${name} / ${base}`,
      shownRatio(of(name, 'readySeconds'), of(base, 'readySeconds')),
      shownRatio(of(name, 'memoryMb'), of(base, 'memoryMb')),
    ]),
  ]);
}

async function startTurn(folder: string, args: string[], idle: number): Promise<Turn> {
  const data = mkdtempSync(join(tmpdir(), 'bench-start-data-'));
  chmodSync(data, 0o755); // PostgreSQL may run as another user.
  return endingWith(
    () => rmSync(data, { recursive: true, force: true }),
    async () => {
      const startedAt = performance.now();
      const system = await npmStart(
        { DATA_DIR: join(data, 'data'), STORAGE_DIR: join(data, 'files') },
        { folder, args },
      );
      const readySeconds = (performance.now() - startedAt) / 1_000;
      return endingWith(
        async () => {
          const code = await system.end('SIGTERM');
          if (code !== 0) throw new Error(`npm start ended with code ${code}:\n${system.output()}`);
        },
        async () => {
          await sleep(idle * 1_000);
          const processes = [system.process.pid!, ...system.descendants()].filter(isNode);
          const memoryMb = processes.reduce((sum, pid) => sum + proportionalMb(pid), 0);
          return { readySeconds, memoryMb, processes: processes.length };
        },
      );
    },
  );
}

function isNode(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`) === realpathSync(process.execPath);
  } catch {
    return false; // It has ended meanwhile.
  }
}

/** The proportional set size: of a page that n processes share, each has one nth. */
function proportionalMb(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))![1]) / 1024;
}
