import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { stringify } from 'csv-stringify';
import { stream } from 'exceljs';
import type { Pool } from 'pg';
import { withOrders, type Order, type OrderPeriod } from '@app/features/report';

/** A writer that uses only the file library, as the documentation of that library does: rows in, a file out. */
export type BareWriter = (pool: Pool, period: OrderPeriod, path: string) => Promise<void>;

const never = new AbortController().signal;

export const bareCsv: BareWriter = (pool, period, path) =>
  withOrders(pool, period, never, ({ batches }) =>
    pipeline(
      Readable.from(rowsOf(batches)),
      stringify({ header: true, bom: true, cast: { date: (value) => value.toISOString() } }),
      createWriteStream(path),
    ),
  );

export const bareXlsx: BareWriter = (pool, period, path) =>
  withOrders(pool, period, never, async ({ batches }) => {
    const workbook = new stream.xlsx.WorkbookWriter({ filename: path, useStyles: true });
    const sheet = workbook.addWorksheet('orders');
    for await (const batch of batches) for (const order of batch) sheet.addRow(Object.values(order)).commit();
    await workbook.commit();
  });

async function* rowsOf(batches: AsyncIterable<readonly Order[]>): AsyncGenerator<Order> {
  for await (const batch of batches) yield* batch;
}
