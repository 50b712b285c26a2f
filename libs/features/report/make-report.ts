import { z } from 'zod';
import { defineJob, exponential } from '@app/contracts';
import { isForward, period } from './period';

/** All formats, and the file of each. */
export const reportFormats = {
  csv: 'text/csv',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  pdf: 'application/pdf',
} as const;

export type ReportFormat = keyof typeof reportFormats;

const formats = Object.keys(reportFormats) as [ReportFormat, ...ReportFormat[]];

/**
 * A file of the orders of a period: all of them as CSV or XLSX, or a summary as PDF. A PDF is the parent of its
 * sections, which are jobs too. Without children it computes them itself.
 */
export const makeReport = defineJob({
  kind: 'report.make',
  version: 1,
  queue: 'report',
  broker: 'bullmq',
  payload: z
    .strictObject({ type: z.literal('orders'), format: z.enum(formats), ...period })
    .refine(isForward, { path: ['to'], error: 'must be after from', params: { rule: 'period_order' } }),
  result: z.strictObject({
    file: z.strictObject({ id: z.uuid(), bytes: z.int(), contentType: z.string() }),
    rows: z.int().describe('The number of orders in the report.'),
  }),
  retry: exponential({ attempts: 5, base: '1s', max: '1m', jitter: 'full' }),
  timeout: '15m',
  concurrency: 2,
  // A report of all orders takes minutes: the reports of other tenants must not wait for it.
  concurrencyPerTenant: 1,
  withLinks: ({ file: { id, bytes, contentType }, rows }, urlOf) => ({
    file: { id, url: urlOf(id), bytes, contentType },
    rows,
  }),
});
