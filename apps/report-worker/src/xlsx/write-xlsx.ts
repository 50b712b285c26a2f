import { once, type EventEmitter } from 'node:events';
import { PassThrough, Readable, type Writable } from 'node:stream';
import { stream, type Column, type Worksheet } from 'exceljs';
import type { Order } from '@app/features/report';
import { isoOf, writable } from '../file-text';
import { cellsOf, orderColumns, type CellFormat } from '../order-columns';

/** A sheet holds 1,048,576 rows; further orders go into the next sheet. */
const rowsPerSheet = 1_000_000;

const layouts: Partial<Record<(typeof orderColumns)[number], Partial<Column>>> = {
  placed_at: { width: 20, style: { numFmt: 'yyyy-mm-dd hh:mm:ss' } },
  customer: { width: 26 },
  product: { width: 26 },
  unit_price: { style: { numFmt: '#,##0.00' } },
  total: { style: { numFmt: '#,##0.00' } },
  note: { width: 40 },
};

/**
 * Every reader handles the escapes in shared strings; not every reader handles them in a cell. Shared strings stay in
 * memory until the end, so only this many rows use them.
 */
const mostShared = 10_000;

/** The parts of exceljs's stream writer that its types omit. */
interface WritableSheet extends Worksheet {
  /** Applies to the rows that are committed after it is set. */
  useSharedStrings: boolean;
  /**
   * The writer ignores a slow reader, so this code must wait for it. The pipes are streams of the package
   * readable-stream 2, which has no `writableNeedDrain`.
   */
  readonly stream: {
    readonly pipes: readonly (Writable & { readonly _writableState: { readonly needDrain: boolean } })[];
  };
}

interface Zip extends EventEmitter<{ error: [Error] }> {
  append(source: unknown, entry: { name: string; date?: Date }): unknown;
}

interface OpenWorkbook extends stream.xlsx.WorkbookWriter {
  readonly zip: Zip;
  addThemes(): Promise<void>;
}

const OpenWorkbook = stream.xlsx.WorkbookWriter as unknown as new (options: object) => OpenWorkbook;

/** The earliest time of a zip file. With the current time, two files of the same orders would differ. */
const noTime = new Date(Date.UTC(1980, 0, 1));

class TimelessWorkbook extends OpenWorkbook {
  /** The constructor calls this first: from here on everything is zipped without its time. */
  override addThemes(): Promise<void> {
    const append = this.zip.append.bind(this.zip);
    this.zip.append = (source, entry) => append(source, { ...entry, date: noTime });
    return super.addThemes();
  }
}

/**
 * Writes a workbook as a stream: rows leave memory at once. A text has the type text, so no spreadsheet runs it, and it
 * needs no apostrophe.
 */
export function writeXlsx(batches: AsyncIterable<readonly Order[]>): Readable {
  return Readable.from(bytesOf(batches), { objectMode: false });
}

async function* bytesOf(batches: AsyncIterable<readonly Order[]>): AsyncGenerator<Buffer> {
  const output = new PassThrough();
  const written = write(batches, output);
  written.catch((error: unknown) => output.destroy(error as Error));
  try {
    yield* output as AsyncIterable<Buffer>;
    await written;
  } finally {
    output.destroy();
    // It ends with the batch that it reads.
    await written.catch(() => undefined);
  }
}

/** @throws the error of reading the batches; Error when the output is closed before its end */
async function write(batches: AsyncIterable<readonly Order[]>, output: PassThrough): Promise<void> {
  const closed = new Promise<never>((_, reject) => {
    output.once('close', () => reject(new Error('The workbook has no reader any more.')));
  });
  closed.catch(() => undefined);
  const workbook = new TimelessWorkbook({ stream: output, useStyles: true, created: noTime, modified: noTime });
  workbook.zip.on('error', (error) => output.destroy(error));
  let sheet = newSheet(workbook);
  let rows = 0;
  let shared = 0;
  for await (const batch of batches) {
    for (const order of batch) {
      if (rows > 0 && rows % rowsPerSheet === 0) {
        sheet.commit();
        sheet = newSheet(workbook);
      }
      const cells = cellsOf(order, xlsxCells);
      sheet.useSharedStrings = cells.some(hasEscape) && (shared += 1) <= mostShared;
      sheet.addRow(cells).commit();
      rows += 1;
    }
    await Promise.race([drained(sheet), closed]);
  }
  await Promise.race([workbook.commit(), closed]);
}

function newSheet(workbook: OpenWorkbook): WritableSheet {
  const sheet = workbook.addWorksheet(undefined, { views: [{ state: 'frozen', ySplit: 1 }] });
  sheet.columns = orderColumns.map((name) => ({ header: name, key: name, width: 12, style: {}, ...layouts[name] }));
  sheet.getRow(1).font = { bold: true };
  sheet.getRow(1).commit();
  return sheet as WritableSheet;
}

async function drained({ stream: { pipes } }: WritableSheet): Promise<void> {
  for (const pipe of pipes) if (pipe._writableState.needDrain) await once(pipe, 'drain');
}

/** In UTF-16 units (https://support.microsoft.com/office/excel-specifications-and-limits). */
const longestText = 32_767;

/** Excel counts days from 1900 and treats that year as a leap year: its days before March are off by one. */
const firstDate = Date.UTC(1900, 2, 1);
const firstDateAfter = Date.UTC(10_000, 0);

/** `_x0041_` in a cell is an escape for "A" (ECMA-376, 22.9.2.19). A text that looks like one gets its `_` escaped. */
const looksEscaped = /_(?=x[0-9A-Fa-f]{4}_)/g;

/** What a cell of a workbook can hold. A number or a date that it cannot hold becomes a text. */
const xlsxCells: CellFormat<string | number | Date> = {
  text: textCell,
  date: (moment) => (isDateOfExcel(moment) ? moment : isoOf(moment)),
  number: numberCell,
  money: (cents) => numberCell(cents / 100),
};

function hasEscape(cell: string | number | Date | null): boolean {
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
