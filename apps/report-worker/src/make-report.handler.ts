import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Pool } from 'pg';
import {
  makeReport,
  reportFormats,
  type ReportFormat,
  type SectionSummary,
  sectionsOfOrders,
  withOrders,
  type OrderPeriod,
} from '@app/features/report';
import { type PayloadOf } from '@app/contracts';
import { done, JobAborted, JobHandler, type Handler, type JobContext, type JobOf } from '@app/messaging';
import type { Prisma } from '@app/database';
import { recordFiles, FileStore } from '@app/storage';
import { writeCsv } from './csv/write-csv';
import { summarise } from './pdf/summarise';
import { writePdf } from './pdf/write-pdf';
import { writeXlsx } from './xlsx/write-xlsx';

/** Writing the report is most of the progress; the rest is for storing its record. */
const writtenPercent = 99;

const tables = { csv: writeCsv, xlsx: writeXlsx };

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
    try {
      const { rows, bytes } =
        format === 'pdf'
          ? await this.putDocument(key, period, context)
          : await this.putTable(key, format, period, context);
      context.signal.throwIfAborted();
      const file = { id: randomUUID(), bytes, contentType };
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

  private async putTable(
    key: string,
    format: keyof typeof tables,
    period: OrderPeriod,
    { signal, progress }: JobContext,
  ) {
    return withOrders(this.pool, period, signal, async ({ count, batches }) => {
      let rows = 0;
      const counted = async function* () {
        for await (const batch of batches) {
          yield batch;
          rows += batch.length;
          progress(Math.min(writtenPercent, (rows / count) * 100), `${rows} of ${count} orders`);
        }
      };
      const { bytes } = await this.put(key, format, tables[format](counted()), signal);
      return { rows, bytes };
    });
  }

  private async putDocument(key: string, period: OrderPeriod, context: JobContext<Prisma.TransactionClient>) {
    const children = await context.childResults();
    const sections =
      children.length > 0
        ? children.map(({ result }) => result as SectionSummary)
        : await this.summariseHere(period, context);
    const { signal } = context;
    const { bytes } = await this.put(key, 'pdf', writePdf(sections), signal);
    return { rows: sections.reduce((sum, { orders }) => sum + orders, 0), bytes };
  }

  private async put(key: string, format: ReportFormat, content: Readable, signal: AbortSignal) {
    try {
      return await this.store.put(key, content, { contentType: reportFormats[format], signal });
    } finally {
      // After a failed put, the content must not read on from the database: withOrders is about to close its connection.
      content.destroy();
    }
  }

  /** For a job without children, for example one that another service requested. */
  private async summariseHere(period: OrderPeriod, { signal, progress }: JobContext): Promise<SectionSummary[]> {
    const sections = await sectionsOfOrders(this.pool, period);
    const summaries: SectionSummary[] = [];
    for (const section of sections) {
      summaries.push(await summarise(this.pool, period.tenant, section, signal, () => undefined));
      progress(Math.min(writtenPercent, (summaries.length / sections.length) * 100), section.from);
    }
    return summaries;
  }
}

function nameOf({ type, format, from, to }: PayloadOf<typeof makeReport>): string {
  const day = (moment: string) => new Date(moment).toISOString().slice(0, 10);
  return [type, from && `from-${day(from)}`, to && `to-${day(to)}`].filter(Boolean).join('-') + `.${format}`;
}
