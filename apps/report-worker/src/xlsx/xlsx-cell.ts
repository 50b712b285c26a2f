import { isoOf, writable } from '../file-text';
import type { CellFormat } from '../order-columns';

/** In UTF-16 units (https://support.microsoft.com/office/excel-specifications-and-limits). */
const longestText = 32_767;

/** Excel counts days from 1900 and treats that year as a leap year: its days before March are off by one. */
const firstDate = Date.UTC(1900, 2, 1);
const firstDateAfter = Date.UTC(10_000, 0);

/** `_x0041_` in a cell is an escape for "A" (ECMA-376, 22.9.2.19). A text that looks like one gets its `_` escaped. */
const looksEscaped = /_(?=x[0-9A-Fa-f]{4}_)/g;

/** What a cell of a workbook can hold. A number or a date that it cannot hold becomes a text. */
export const xlsxCells: CellFormat<string | number | Date> = {
  text: textCell,
  date: (moment) => (isDateOfExcel(moment) ? moment : isoOf(moment)),
  number: numberCell,
  money: (cents) => numberCell(cents / 100),
};

export function hasEscape(cell: string | number | Date | null): boolean {
  return typeof cell === 'string' && cell.includes('_x005F_');
}

/** A line break in a cell is LF; an XML parser also turns CR into LF. */
function textCell(text: string): string {
  return shortened(writable(text).replace(/\r\n?/g, '\n')).replace(looksEscaped, '_x005F_');
}

function shortened(text: string): string {
  if (text.length <= longestText) return text;
  // Does not cut between the halves of a surrogate pair.
  return `${text.slice(0, longestText - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

function isDateOfExcel(moment: Date): boolean {
  const at = moment instanceof Date ? moment.getTime() : NaN;
  return at >= firstDate && at < firstDateAfter;
}

/** Excel keeps 15 digits of a number and replaces the others by zeros. */
function numberCell(value: number): number | string {
  return Number(value.toPrecision(15)) === value && Number.isFinite(value) ? value : String(value);
}
