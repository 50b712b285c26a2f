import type { Transaction } from '../transaction';

/**
 * First statement of a transaction: a second process with the same events waits here for the first one's commit.
 * @param ids of events, each once
 * @returns those that this subscriber has not handled before
 */
export async function recordProcessedEvents(
  tx: Transaction,
  subscriber: string,
  ids: readonly string[],
): Promise<Set<string>> {
  // In one order, so that two processes never wait for each other.
  const sorted = [...ids].sort();
  const rows = await tx.$queryRaw<{ id: string }[]>`
    INSERT INTO processed_message (consumer, message_id)
    SELECT ${subscriber}, unnest(${sorted}::uuid[])
    ON CONFLICT DO NOTHING
    RETURNING message_id AS id`;
  return new Set(rows.map(({ id }) => id));
}
