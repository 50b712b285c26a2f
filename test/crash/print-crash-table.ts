import type { Backend } from '../support/system';
import { harmOf, type Effect, type Seen } from './seen';

export interface SeenCell {
  readonly backend: Backend;
  readonly point: string;
  readonly killed: string;
  readonly effect: Effect;
  /** How the plain process is written. */
  readonly way: string;
  readonly protected: Seen;
  readonly plain: Seen;
}

const head = [
  'killed at',
  'process',
  'jobs',
  'lost',
  'copies',
  'keys',
  'recovery',
  'harm',
  'plain client',
  'jobs',
  'lost',
  'copies',
  'keys',
  'harm',
];

/**
 * Prints a table for each backend: this system to the left of `plain client`, the plain client with the same fault to
 * the right.
 */
export function printCrashTable(cells: readonly SeenCell[]): void {
  for (const backend of new Set(cells.map((cell) => cell.backend))) {
    const rows = [head, ...cells.filter((cell) => cell.backend === backend).map(shown)];
    const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
    const lines = rows.map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
    process.stdout.write(`\nA process killed, on ${backend}\n\n${lines.join('\n')}\n\n`);
  }
}

function shown({ point, killed, effect, way, protected: ours, plain }: SeenCell): string[] {
  return [
    point,
    killed,
    ...counts(ours),
    `${Math.round(ours.recoveryMs!)} ms`,
    harmOf(ours, effect),
    way,
    ...counts(plain),
    harmOf(plain, effect),
  ];
}

function counts({ jobs, lost, copies, keys }: Seen): string[] {
  return [jobs, lost, copies, keys].map(String);
}
