import type { Readable } from 'node:stream';
import { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import {
  makeReport,
  reportFormats,
  sectionsOfOrders,
  withOrders,
  type OrderPeriod,
  type SectionSummary,
} from '@app/features/report';
import { type PayloadOf } from '@app/contracts';
import { done, JobAborted, JobHandler, type Handler, type JobContext, type JobOf } from '@app/messaging';
import type { Prisma } from '@app/database';
import { recordFiles, FileStore } from '@app/storage';
import { writeCsv } from './csv/write-csv';
import type * as Pdf from './pdf/write-pdf';
import { summarise } from './summarise-section.handler';
import { mostPercent, withProgress } from './with-progress';
import type * as Xlsx from './xlsx/write-xlsx';

/** Writes the content under the key of the report. */
type Put = (content: Readable) => Promise<{ bytes: number }>;

/** The libraries for XLSX and PDF are large: the first report of such a format loads its own. */
/* eslint-disable @typescript-eslint/no-require-imports */
const writers = {
  csv: () => writeCsv,
  xlsx: () => (require('./xlsx/write-xlsx') as typeof Xlsx).writeXlsx,
  pdf: () => (require('./pdf/write-pdf') as typeof Pdf).writePdf,
};
/* eslint-enable */

@JobHandler(makeReport)
export class MakeReportHandler implements Handler<typeof makeReport> {
  constructor(
    private readonly pool: Pool,
    private readonly store: FileStore,
  ) {}

  async handle(
    { id, tenant, createdAt, payload }: JobOf<typeof makeReport>,
    context: JobContext<Prisma.TransactionClient>,
  ) {
    const { format } = payload;
    const contentType = reportFormats[format];
    const name = nameOf(payload);
    // The same key for every attempt: a retry overwrites what a killed attempt has left.
    const key = `reports/${id}/${name}`;
    const period = {
      tenant,
      from: payload.from ? new Date(payload.from) : undefined,
      to: payload.to ? new Date(payload.to) : createdAt,
    };
    const put = async (content: Readable) => {
      try {
        return await this.store.put(key, content, { contentType, signal: context.signal });
      } finally {
        // After a failed put, the content must not read on from the database: withOrders is about to close its connection.
        content.destroy();
      }
    };
    try {
      const { rows, bytes } =
        format === 'pdf'
          ? await this.putDocument(put, period, context)
          : await this.putTable(put, writers[format](), period, context);
      context.signal.throwIfAborted();
      const file = { id: uuidv7(), bytes, contentType };
      return await context.transaction(async (tx) => {
        await recordFiles(tx, [{ ...file, tenant, jobId: id, key, name }]);
        return done({ file, rows });
      });
    } catch (error) {
      const { reason } = context.signal as { reason: unknown };
      // No later attempt will overwrite the file.
      if (reason instanceof JobAborted && reason.reason === 'cancelled') await this.store.remove(key);
      throw error;
    }
  }

  private putTable(put: Put, write: typeof writeCsv, period: OrderPeriod, { signal, progress }: JobContext) {
    return withOrders(this.pool, period, signal, async (cursor) => {
      const { bytes } = await put(write(withProgress(cursor, progress)));
      return { rows: cursor.count, bytes };
    });
  }

  private async putDocument(put: Put, period: OrderPeriod, context: JobContext<Prisma.TransactionClient>) {
    const children = await context.childResults();
    const sections =
      children.length > 0
        ? children.map(({ result }) => result as SectionSummary)
        : await this.summariseHere(period, context);
    const { bytes } = await put(writers.pdf()(sections));
    return { rows: sections.reduce((sum, { orders }) => sum + orders, 0), bytes };
  }

  /** For a job without children, for example one that another service requested. */
  private async summariseHere(period: OrderPeriod, { signal, progress }: JobContext): Promise<SectionSummary[]> {
    const sections = await sectionsOfOrders(this.pool, period);
    const summaries: SectionSummary[] = [];
    for (const section of sections) {
      summaries.push(await summarise(this.pool, period.tenant, section, signal, () => undefined));
      progress(Math.min(mostPercent, (summaries.length / sections.length) * 100), section.from);
    }
    return summaries;
  }
}

function nameOf({ type, format, from, to }: PayloadOf<typeof makeReport>): string {
  const day = (moment: string) => new Date(moment).toISOString().slice(0, 10);
  return [type, from && `from-${day(from)}`, to && `to-${day(to)}`].filter(Boolean).join('-') + `.${format}`;
}
