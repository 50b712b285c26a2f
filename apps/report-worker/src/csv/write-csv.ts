import type { Readable } from 'node:stream';
import { stringify, type Options } from 'csv-stringify/sync';
import type { Order } from '@app/features/report';
import { isoOf, writable } from '../file-text';
import { cellsOf, orderColumns, type CellFormat } from '../order-columns';
import { readableOf } from '../readable-of';
import { harmless } from './harmless-text';

const options: Options = {
  record_delimiter: 'windows',
  // By default the library quotes a text only for the delimiter as a whole.
  quoted_match: /[\r\n]/,
};

const cells: CellFormat<string> = {
  text: (text) => harmless(writable(text)),
  date: (moment) => harmless(isoOf(moment)),
  number: String,
  // Always with two digits. A negative number begins with a minus: only texts are made harmless.
  money: (cents) => (cents / 100).toFixed(2),
};

/** RFC 4180, in UTF-8 with a byte order mark, by which spreadsheets recognise the encoding. */
export function writeCsv(batches: AsyncIterable<readonly Order[]>): Readable {
  return readableOf(linesOf(batches));
}

async function* linesOf(batches: AsyncIterable<readonly Order[]>): AsyncGenerator<string> {
  yield stringify([orderColumns], { ...options, bom: true });
  for await (const batch of batches) {
    yield stringify(
      batch.map((order) => cellsOf(order, cells)),
      options,
    );
  }
}
