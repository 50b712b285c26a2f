import type { Transaction } from '../transaction';

/**
 * Records that a subscriber handles events. Must be the first statement of the transaction: a concurrent transaction
 * with the same events blocks here until the first one commits.
 * @param ids of events, without duplicates
 * @returns the events that this subscriber has not handled before
 */
export async function recordProcessedEvents(
  tx: Transaction,
  subscriber: string,
  ids: readonly string[],
): Promise<Set<string>> {
  // One order for all processes, so that two of them never deadlock.
  const sorted = [...ids].sort();
  const rows = await tx.$queryRaw<{ id: string }[]>`
    INSERT INTO processed_message (consumer, message_id)
    SELECT ${subscriber}, unnest(${sorted}::uuid[])
    ON CONFLICT DO NOTHING
    RETURNING message_id AS id`;
  return new Set(rows.map(({ id }) => id));
}
