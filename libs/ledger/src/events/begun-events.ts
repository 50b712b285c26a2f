import type { Transaction } from '../transaction';
import { statement, type Database } from '../statement';

/**
 * Begins a group of events, unless another process has begun one of them and not ended it. Such events are begun one by
 * one: only then it shows which event of the group killed its process.
 */
const beginStatement = statement<{ id: string; processes: number }>('events_begin').with(
  { subscriber: 'text', ids: 'uuid[]', processId: 'uuid' },
  ($) => `WITH unfinished AS (
     SELECT message_id, count(*)::int AS processes
       FROM begun_event
      WHERE consumer = ${$.subscriber} AND message_id = ANY(${$.ids}) AND process_id <> ${$.processId}
      GROUP BY message_id
   ), begun AS (
     INSERT INTO begun_event (consumer, message_id, process_id)
     SELECT ${$.subscriber}, id, ${$.processId} FROM unnest(${$.ids}) AS id
      WHERE cardinality(${$.ids}) = 1 OR NOT EXISTS (SELECT FROM unfinished)
         ON CONFLICT DO NOTHING
   )
   SELECT message_id AS id, processes FROM unfinished`,
);

/**
 * Records that a process begins events. Commits before the handler begins. A process counts once for an event, however
 * often the broker delivers the event to it.
 * @param ids of events, without duplicates
 * @returns by event id, how many other processes have begun the event and not ended it. When the map is not empty and
 *   `ids` holds several events, none of them was begun
 */
export async function beginEvents(
  database: Database,
  subscriber: string,
  ids: readonly string[],
  processId: string,
): Promise<Map<string, number>> {
  const rows = await beginStatement.run(database, { subscriber, ids: [...ids].sort(), processId });
  return new Map(rows.map(({ id, processes }) => [id, processes]));
}

/** Records that events are handled, whichever process began them. Runs in the transaction of the effect. */
export async function endEvents(
  tx: Pick<Transaction, '$executeRaw'>,
  subscriber: string,
  ids: readonly string[],
): Promise<void> {
  await tx.$executeRaw`
    DELETE FROM begun_event WHERE consumer = ${subscriber} AND message_id = ANY(${[...ids]}::uuid[])`;
}

/**
 * Records that the handler ended without an effect. Deletes the record of the process `processId`; undefined deletes the
 * records of all processes, for an event that is never begun again.
 */
export const abandonEvent = statement<never>('event_abandon').with(
  { subscriber: 'text', id: 'uuid', processId: 'uuid?' },
  ($) => `DELETE FROM begun_event
    WHERE consumer = ${$.subscriber} AND message_id = ${$.id}
      AND (${$.processId} IS NULL OR process_id = ${$.processId})`,
);
