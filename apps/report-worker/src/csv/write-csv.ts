import { Readable } from 'node:stream';
import { stringify, type Options } from 'csv-stringify/sync';
import type { Order } from '@app/features/report';
import { isoOf, writable } from '../file-text';
import { cellsOf, orderColumns, type CellFormat } from '../order-columns';

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
  return Readable.from(linesOf(batches), { objectMode: false });
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

/** The characters that begin a formula, in ASCII and in the wide and small forms of East Asian input methods. */
const formula = '=+\\-@＝＋－＠﹦﹢﹣﹫';

/** Spreadsheets ignore these characters at the beginning of a cell. */
const skipped = `(?:[^\\S\\t\\r\\n]|[\\p{Cf}"'‘’“”])*`;

/**
 * The places where a cell may begin: the beginning of the text, and after a `;`, a tab or a line break inside it. A
 * spreadsheet whose separator is not the comma does not see the quotes around our text.
 */
const cellThatRuns = new RegExp(`(^|[;\\t\\r\\n])(?=${skipped}[${formula}])`, 'gu');
const beginsWithControl = /^(?=[\t\r\n])/;

/**
 * @returns a text that no spreadsheet runs as a formula: an apostrophe precedes what would begin one
 *   (https://owasp.org/www-community/attacks/CSV_Injection)
 */
function harmless(text: string): string {
  return text.replace(cellThatRuns, "$1'").replace(beginsWithControl, "'");
}
