/**
 * The number that goes into the ledger and to the broker; lower runs first.
 * It is always set: BullMQ runs a job without a priority before any that has one.
 */
export const priorities = { high: 1, normal: 2, low: 3 } as const;

export type Priority = keyof typeof priorities;
