import type { Transaction } from '../transaction';
import { Statement, type Database } from '../statement';

/**
 * Begins a group of events, unless one of them was begun by a process that has not ended it: which of a group has
 * killed its process shows only when they are begun one by one.
 */
const beginStatement = new Statement<{ id: string; processes: number }>(
  'events_begin',
  `WITH unfinished AS (
     SELECT message_id, count(*)::int AS processes
       FROM begun_event
      WHERE consumer = $1 AND message_id = ANY($2::uuid[]) AND process_id <> $3
      GROUP BY message_id
   ), begun AS (
     INSERT INTO begun_event (consumer, message_id, process_id)
     SELECT $1, id, $3 FROM unnest($2::uuid[]) AS id
      WHERE cardinality($2::uuid[]) = 1 OR NOT EXISTS (SELECT FROM unfinished)
         ON CONFLICT DO NOTHING
   )
   SELECT message_id AS id, processes FROM unfinished`,
);

/**
 * Committed before the handler begins. A process counts once for an event, however often it is delivered to it.
 * @param ids of events, each once
 * @returns how many other processes have begun an event and not ended it. Where there are any, a group of several was
 *   not begun
 */
export async function beginEvents(
  database: Database,
  subscriber: string,
  ids: readonly string[],
  processId: string,
): Promise<Map<string, number>> {
  const rows = await beginStatement.run(database, subscriber, [...ids].sort(), processId);
  return new Map(rows.map(({ id, processes }) => [id, processes]));
}

/** In the transaction of the effect: handled, whichever process began it. */
export async function endEvents(
  tx: Pick<Transaction, '$executeRaw'>,
  subscriber: string,
  ids: readonly string[],
): Promise<void> {
  await tx.$executeRaw`
    DELETE FROM begun_event WHERE consumer = ${subscriber} AND message_id = ANY(${[...ids]}::uuid[])`;
}

const abandonStatement = new Statement<never>(
  'event_abandon',
  `DELETE FROM begun_event WHERE consumer = $1 AND message_id = $2 AND ($3::uuid IS NULL OR process_id = $3)`,
);

/** The handler has ended without an effect. @param processId undefined: the event is never begun again */
export async function abandonEvent(
  database: Database,
  subscriber: string,
  id: string,
  processId: string | undefined,
): Promise<void> {
  await abandonStatement.run(database, subscriber, id, processId ?? null);
}
