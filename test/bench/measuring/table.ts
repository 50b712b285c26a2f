import { spreadOf } from './statistics';

/** Prints rows in columns: the first is left-aligned, the others contain numbers and are right-aligned. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) {
    const cells = row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)));
    process.stdout.write(`  ${cells.join('   ')}\n`);
  }
}

/** "median (lowest-highest)", or a dash when nothing could be measured. */
export function shownSpread(values: readonly (number | undefined)[], digits: number): string {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return '-';
  const { median, min, max } = spreadOf(known);
  return `${shown(median, digits)} (${shown(min, digits)}-${shown(max, digits)})`;
}

/** The spread of the ratio A / B, each of the same turn. */
export function shownRatio(a: readonly number[], b: readonly number[]): string {
  return shownSpread(
    a.map((value, turn) => value / b[turn]!),
    2,
  );
}

export function shown(value: number, digits: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
