import { z } from 'zod';

const earliest = Date.UTC(1970, 0);
const latest = Date.UTC(2200, 0);

const moment = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], {
    error: 'expected a date such as "2026-01-31", or a moment such as "2026-01-31T12:00:00Z"',
  })
  .refine((text) => Date.parse(text) >= earliest && Date.parse(text) < latest, {
    error: 'must lie between 1970 and 2200',
    params: { rule: 'period_range' },
  });

/** Orders placed from `from` (inclusive) to `to` (exclusive). A date means its midnight in UTC. */
export const period = {
  from: moment
    .optional()
    .describe('Orders placed at this time or later; a date means midnight in UTC. Default: from the first order.'),
  to: moment.optional().describe('Orders placed before this time. Default: the time at which the job was accepted.'),
};

/** @returns whether `from` is before `to`; true when one of them is missing */
export function isForward({ from, to }: { from?: string | undefined; to?: string | undefined }): boolean {
  return from === undefined || to === undefined || Date.parse(from) < Date.parse(to);
}

/** One part of a period, by the calendar. */
export interface Section {
  readonly from: string;
  readonly to: string;
}

const mostMonths = 36;

/**
 * Splits a period at the ends of months, or of years when there would be too many months.
 * @returns at least one section, also for an empty period
 */
export function sectionsOf(from: Date, to: Date): [Section, ...Section[]] {
  const months = cut(from, to, (start) => new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1)));
  if (months.length <= mostMonths) return months;
  return cut(from, to, (start) => new Date(Date.UTC(start.getUTCFullYear() + 1, 0)));
}

function cut(from: Date, to: Date, nextAfter: (start: Date) => Date): [Section, ...Section[]] {
  const sections: Section[] = [];
  let start = from;
  do {
    const next = nextAfter(start);
    const end = next < to ? next : to;
    sections.push({ from: start.toISOString(), to: end.toISOString() });
    start = end;
  } while (start < to);
  return sections as [Section, ...Section[]];
}
