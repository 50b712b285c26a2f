import { z } from 'zod';
import { requestableBrokers } from './broker';
import { longestMs } from './duration';

/**
 * The number in the ledger and at the broker; a lower number runs first. It is always set: BullMQ runs a job without a
 * priority before every job that has one.
 */
export const priorities = { high: 1, normal: 2, low: 3 } as const;

export type Priority = keyof typeof priorities;

const names = Object.keys(priorities) as [Priority, ...Priority[]];

/** The options of a request beside its payload, the same for every kind of job. */
export const jobOptions = z
  .strictObject({
    delayMs: z
      .int()
      .min(0)
      .max(longestMs)
      .optional()
      .describe('Run this many milliseconds after the job was accepted, by the database clock.'),
    runAt: z.iso
      .datetime({ offset: true })
      .optional()
      .describe('Run at this moment (RFC 3339). A moment that has passed means now.'),
    priority: z.enum(names).optional().describe('Which of the waiting jobs of a queue runs first. Default: normal.'),
    broker: z.enum(requestableBrokers).optional().describe('Overrides the broker of the definition for this job.'),
  })
  .refine((options) => options.delayMs === undefined || options.runAt === undefined, {
    path: ['runAt'],
    error: 'must not be given together with delayMs',
    params: { rule: 'one_moment' },
  })
  .refine(
    ({ runAt }) => runAt === undefined || (Date.parse(runAt) >= 0 && Date.parse(runAt) <= Date.now() + longestMs),
    {
      path: ['runAt'],
      error: 'must lie between 1970 and 366 days from now',
      params: { rule: 'moment_range' },
    },
  );

export type JobOptions = z.output<typeof jobOptions>;
