import { columnsOf, statement, type Database } from './statement';

/** One queue that a worker process consumes. */
export interface QueueReader {
  readonly broker: string;
  readonly queue: string;
  /** Why the process cannot consume the queue; undefined while it can. */
  readonly trouble: string | undefined;
}

/** What the workers of a queue have reported within `readerGoneMs`. */
export interface QueueReaders {
  readonly broker: string;
  readonly queue: string;
  readonly workers: number;
  /** How many of the workers cannot consume. */
  readonly failing: number;
  readonly trouble: string | null;
}

/** A process whose last report is older, in milliseconds, no longer counts. */
export const readerGoneMs = 10_000;

const reportStatement = statement<never>('queue_readers_report').with(
  { processId: 'uuid', broker: 'text[]', queue: 'text[]', trouble: 'text?[]' },
  ($) => `WITH gone AS (
     DELETE FROM queue_reader WHERE process_id <> ${$.processId} AND seen_at < now() - interval '1 minute'
   )
   INSERT INTO queue_reader (process_id, broker, queue, trouble, seen_at)
   SELECT ${$.processId}, broker, queue, trouble, now()
     FROM unnest(${$.broker}, ${$.queue}, ${$.trouble}) AS said(broker, queue, trouble)
       ON CONFLICT (process_id, broker, queue) DO UPDATE SET trouble = EXCLUDED.trouble, seen_at = EXCLUDED.seen_at`,
);

/**
 * Stores which queues a process consumes, with the time by the database's clock. Deletes the reports of processes that
 * are silent for a minute.
 */
export async function reportQueueReaders(
  database: Database,
  processId: string,
  readers: readonly QueueReader[],
): Promise<void> {
  await reportStatement.run(database, { processId, ...columnsOf(readers, 'broker', 'queue', 'trouble') });
}

/** Deletes the reports of a process that consumes no more messages. */
export const forgetQueueReaders = statement<never>('queue_readers_forget').with(
  { processId: 'uuid' },
  ($) => `DELETE FROM queue_reader WHERE process_id = ${$.processId}`,
);

/** Reads the consumed queues with at least one worker that has reported within `readerGoneMs`. */
export const readQueueReaders = statement<QueueReaders>('queue_readers_read').text(
  `SELECT broker, queue, count(*)::int AS workers, count(trouble)::int AS failing, min(trouble) AS trouble
     FROM queue_reader WHERE seen_at > now() - ${readerGoneMs} * interval '1 millisecond'
    GROUP BY broker, queue`,
);
