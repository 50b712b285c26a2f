/**
 * The number in the ledger and at the broker; a lower number runs first. It is always set: BullMQ runs a job without a
 * priority before every job that has one.
 */
export const priorities = { high: 1, normal: 2, low: 3 } as const;

export type Priority = keyof typeof priorities;
