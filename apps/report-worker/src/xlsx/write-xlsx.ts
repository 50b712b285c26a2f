import { once, type EventEmitter } from 'node:events';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { stream, type Worksheet } from 'exceljs';
import type { Order } from '@app/features/report';
import { cellsOf, orderColumns } from '../order-columns';
import { readableOf } from '../readable-of';
import { hasEscape, xlsxCells } from './xlsx-cell';

/** A sheet holds 1,048,576 rows; further orders go into the next sheet. */
const rowsPerSheet = 1_000_000;

const widths: Partial<Record<(typeof orderColumns)[number], number>> = {
  placed_at: 20,
  customer: 26,
  product: 26,
  note: 40,
};
const formats: Partial<Record<(typeof orderColumns)[number], string>> = {
  placed_at: 'yyyy-mm-dd hh:mm:ss',
  unit_price: '#,##0.00',
  total: '#,##0.00',
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

type Workbook = stream.xlsx.WorkbookWriter;

interface OpenWorkbook extends Workbook {
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
  return readableOf(bytesOf(batches));
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

function newSheet(workbook: Workbook): WritableSheet {
  const sheet = workbook.addWorksheet(undefined, { views: [{ state: 'frozen', ySplit: 1 }] });
  sheet.columns = orderColumns.map((name) => ({
    header: name,
    key: name,
    width: widths[name] ?? 12,
    style: formats[name] === undefined ? {} : { numFmt: formats[name] },
  }));
  sheet.getRow(1).font = { bold: true };
  sheet.getRow(1).commit();
  return sheet as WritableSheet;
}

async function drained({ stream: { pipes } }: WritableSheet): Promise<void> {
  for (const pipe of pipes) if (pipe._writableState.needDrain) await once(pipe, 'drain');
}
