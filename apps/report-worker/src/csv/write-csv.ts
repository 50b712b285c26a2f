import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify';
import type { Order } from '@app/persistence';
import { cellsOf, orderColumns } from '../order-columns';

/**
 * RFC 4180, in UTF-8 with a byte order mark, by which spreadsheets know it. A text that they would run as a formula
 * gets an apostrophe in front (https://owasp.org/www-community/attacks/CSV_Injection).
 */
export function writeCsv(batches: AsyncIterable<readonly Order[]>): Readable {
  const lines = stringify({
    header: true,
    columns: [...orderColumns],
    bom: true,
    record_delimiter: 'windows',
    // By itself it quotes a text for the whole delimiter only.
    quoted_match: /[\r\n]/,
    escape_formulas: true,
    cast: { date: (value) => value.toISOString() },
  });
  const rows = Readable.from(rowsOf(batches));
  rows.once('error', (error) => lines.destroy(error));
  lines.once('close', () => rows.destroy());
  return rows.pipe(lines);
}

/** Always with two digits, as money is written. */
const inEuros = (cents: number): string => (cents / 100).toFixed(2);

async function* rowsOf(batches: AsyncIterable<readonly Order[]>): AsyncGenerator<unknown[]> {
  for await (const batch of batches) for (const order of batch) yield cellsOf(order, inEuros);
}
