import type { Transaction } from './transaction';

/**
 * Records that jobs or events are handled. Must be the first statement of the transaction: a concurrent transaction with
 * the same messages blocks here until the first one commits.
 * @param consumer the kind of the jobs, or the subscriber of the events
 * @param ids of jobs or events, without duplicates
 * @returns those that this consumer has not handled before
 */
export async function recordProcessed(tx: Transaction, consumer: string, ids: readonly string[]): Promise<Set<string>> {
  // One order for all processes, so that two of them never deadlock.
  const sorted = [...ids].sort();
  const rows = await tx.$queryRaw<{ id: string }[]>`
    INSERT INTO processed_message (consumer, message_id)
    SELECT ${consumer}, unnest(${sorted}::uuid[])
    ON CONFLICT DO NOTHING
    RETURNING message_id AS id`;
  return new Set(rows.map(({ id }) => id));
}
