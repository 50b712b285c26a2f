import { z } from 'zod';
import { defineJob, exponential } from '@app/contracts';

const moment = z.iso.datetime();
const count = z.int().min(0);
/** Negative when the refunds exceed the sales. */
const cents = z.int();
const share = z.strictObject({ name: z.string(), orders: count, totalCents: cents });

/** The content of a PDF for one part of its period. Its size does not depend on the number of orders. */
export const sectionSummary = z.strictObject({
  from: moment,
  to: moment,
  orders: count,
  totalCents: cents,
  buckets: z.array(share).describe('By day, or by month if the section is longer than one month.'),
  products: z.array(share).describe('The 1,000 with the highest turnover.'),
  countries: z.array(share).describe('The 1,000 with the highest turnover.'),
  largest: z.array(
    z.strictObject({
      number: z.int(),
      placedAt: moment,
      customer: z.string(),
      product: z.string(),
      quantity: z.int(),
      totalCents: cents,
    }),
  ),
});

export type SectionSummary = z.output<typeof sectionSummary>;

/** Computes one section of a PDF: a child of `report.make`. */
export const summariseSection = defineJob({
  kind: 'report.section',
  version: 1,
  queue: 'report',
  broker: 'bullmq',
  payload: z.strictObject({ from: moment, to: moment }),
  result: sectionSummary,
  retry: exponential({ attempts: 5, base: '1s', max: '1m', jitter: 'full' }),
  timeout: '10m',
  concurrency: 2,
});
