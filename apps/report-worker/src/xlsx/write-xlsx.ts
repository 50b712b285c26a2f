import { once } from 'node:events';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { stream, type Worksheet } from 'exceljs';
import type { Order } from '@app/persistence';
import { cellsOf, orderColumns } from '../order-columns';

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

/** The parts of exceljs's stream writer that its types leave out. */
interface WritableSheet extends Worksheet {
  /**
   * It pays no heed to a reader that is slower than its writer, so this has to. The pipes are streams of the package
   * readable-stream 2, which has no `writableNeedDrain` yet.
   */
  readonly stream: {
    readonly pipes: readonly (Writable & { readonly _writableState: { readonly needDrain: boolean } })[];
  };
}

interface Zip {
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

/** A workbook as it is written: rows leave memory at once. Texts are texts, also where they look like formulas. */
export function writeXlsx(batches: AsyncIterable<readonly Order[]>): Readable {
  const output = new PassThrough();
  write(batches, output).catch((error: unknown) => output.destroy(error as Error));
  return output;
}

async function write(batches: AsyncIterable<readonly Order[]>, output: Writable): Promise<void> {
  const workbook = new TimelessWorkbook({ stream: output, useStyles: true, created: noTime, modified: noTime });
  let sheet = newSheet(workbook);
  let rows = 0;
  for await (const batch of batches) {
    for (const order of batch) {
      if (rows > 0 && rows % rowsPerSheet === 0) {
        sheet.commit();
        sheet = newSheet(workbook);
      }
      sheet.addRow(cellsOf(order)).commit();
      rows += 1;
    }
    await drained(sheet, output);
  }
  await workbook.commit();
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

async function drained({ stream: { pipes } }: WritableSheet, output: Writable): Promise<void> {
  for (const pipe of pipes) {
    if (!pipe._writableState.needDrain) continue;
    const ended = new AbortController();
    try {
      // A reader that has gone drains nothing any more.
      await Promise.race([
        once(pipe, 'drain', { signal: ended.signal }),
        once(output, 'close', { signal: ended.signal }).then(() =>
          Promise.reject(new Error('Nobody reads the workbook.')),
        ),
      ]);
    } finally {
      ended.abort();
    }
  }
}
