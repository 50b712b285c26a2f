import { once, type EventEmitter } from 'node:events';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { stream, type Worksheet } from 'exceljs';
import type { Order } from '@app/features/report';
import { cellsOf, orderColumns } from '../order-columns';
import { readableOf } from '../readable-of';
import { hasEscape, xlsxCells } from './xlsx-cell';

/** A sheet holds 1,048,576 rows; the orders beyond go on in the next one. */
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
 * Every reader knows the escapes in shared strings, and not every one those in a cell. Shared strings stay in memory
 * to the end, so only so many rows have them.
 */
const mostShared = 10_000;

/** The parts of exceljs's stream writer that its types leave out. */
interface WritableSheet extends Worksheet {
  /** Of the rows that are committed from now on. */
  useSharedStrings: boolean;
  /**
   * It pays no heed to a reader that is slower than its writer, so this has to. The pipes are streams of the package
   * readable-stream 2, which has no `writableNeedDrain` yet.
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

/** The least that a zip file can say. With the time of its making, two files of the same orders would differ. */
const noTime = new Date(Date.UTC(1980, 0, 1));

class TimelessWorkbook extends OpenWorkbook {
  /** The first that the constructor adds: everything goes into the zip without its time. */
  override addThemes(): Promise<void> {
    const append = this.zip.append.bind(this.zip);
    this.zip.append = (source, entry) => append(source, { ...entry, date: noTime });
    return super.addThemes();
  }
}

/**
 * A workbook as it is written: rows leave memory at once. A text is typed as one, so a spreadsheet does not run it,
 * whatever it looks like; it needs no apostrophe.
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

/** @throws what reading the batches throws; Error when the output is closed before its end */
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
