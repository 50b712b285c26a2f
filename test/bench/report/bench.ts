import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Readable } from 'node:stream';
import { reportFormats, type ReportFormat, sectionsOfOrders, withOrders } from '@app/features/report';
import { createLedgerPool, workerPool } from '@app/ledger';
import { LocalFileStore } from '@app/storage';
import { writeCsv } from '../../../apps/report-worker/src/csv/write-csv';
import { summarise } from '../../../apps/report-worker/src/summarise-section.handler';
import { writePdf } from '../../../apps/report-worker/src/pdf/write-pdf';
import { writeXlsx } from '../../../apps/report-worker/src/xlsx/write-xlsx';
import { seedOrders } from '../../../scripts/seed/orders';
import { freshDatabase } from '../../support/postgres';
import { endingWith } from '../measuring/ending';
import { printTable, shown, shownRatio, shownSpread } from '../measuring/table';
import { inTurns } from '../measuring/turns';
import { bareCsv, bareXlsx } from './bare';

export interface ReportOptions {
  readonly repeats: number;
  readonly rows: number;
}

interface Turn {
  readonly perSecond: number;
  /** The highest resident memory seen, of this whole process. */
  readonly residentMb: number;
}

/**
 * Compares the report writers, which write into the file store, with their libraries, which write into a file. Both
 * use the same cursor.
 */
export async function benchReport({ repeats, rows }: ReportOptions): Promise<void> {
  const database = await freshDatabase();
  const pool = createLedgerPool(database.url, 'bench', workerPool);
  const folder = mkdtempSync(join(tmpdir(), 'bench-report-'));
  const store = new LocalFileStore(folder);
  const period = { tenant: 'demo', from: undefined, to: new Date() };
  const { signal } = new AbortController();

  const put = (format: ReportFormat, content: Readable) =>
    store.put(`${format}/orders.${format}`, content, { contentType: reportFormats[format], signal });
  const table = (format: 'csv' | 'xlsx', write: typeof writeCsv) => () =>
    measured(rows, () => withOrders(pool, period, signal, ({ batches }) => put(format, write(batches))));
  const bare = (write: typeof bareCsv) => () => measured(rows, () => write(pool, period, join(folder, 'bare')));
  const sums = async () => {
    const sections = await sectionsOfOrders(pool, period);
    const summaries = [];
    for (const section of sections)
      summaries.push(await summarise(pool, period.tenant, section, signal, () => undefined));
    return summaries;
  };

  await endingWith(
    async () => {
      await pool.end();
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
    },
    async () => {
      await seedOrders(pool, rows);
      const results = await inTurns(repeats, {
        csv: table('csv', writeCsv),
        'csv-stringify': bare(bareCsv),
        xlsx: table('xlsx', writeXlsx),
        exceljs: bare(bareXlsx),
        pdf: () => measured(rows, async () => put('pdf', writePdf(await sums()))),
        'reading alone': () =>
          measured(rows, () =>
            withOrders(pool, period, signal, async ({ batches }) => {
              for await (const batch of batches) if (batch.length === 0) throw new Error('An empty batch.');
            }),
          ),
      });
      const perSecond = (turns: readonly Turn[]) => turns.map((turn) => turn.perSecond);
      const line = (name: string, turns: readonly Turn[], beside?: readonly Turn[]) => [
        name,
        shownSpread(perSecond(turns), 0),
        beside ? shownRatio(perSecond(turns), perSecond(beside)) : '',
        shown(Math.max(...turns.map(({ residentMb }) => residentMb)), 0),
      ];
      process.stdout.write(`\nreport: ${rows} orders, ${repeats} turns\n`);
      printTable([
        ['', 'rows/s', 'beside the library', 'resident MB'],
        line('csv', results.csv, results['csv-stringify']),
        line('csv-stringify', results['csv-stringify']),
        line('xlsx', results.xlsx, results.exceljs),
        line('exceljs', results.exceljs),
        line('pdf', results.pdf, results['reading alone']),
        line('reading alone', results['reading alone']),
      ]);
    },
  );
}

async function measured(rows: number, work: () => Promise<unknown>): Promise<Turn> {
  let residentMb = 0;
  const look = () => (residentMb = Math.max(residentMb, process.memoryUsage.rss() / 1024 / 1024));
  const looking = setInterval(look, 20);
  const startedAt = performance.now();
  await work();
  const seconds = (performance.now() - startedAt) / 1_000;
  clearInterval(looking);
  look();
  return { perSecond: rows / seconds, residentMb };
}
