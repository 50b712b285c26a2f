import { ChangeCursor } from '@app/ledger';
import { Problem, quoted } from '@app/http';

/**
 * Parses the Last-Event-ID of the stream of one job.
 * @param header the header Last-Event-ID, which a browser sends when it reconnects
 * @param last the sequence of the job's last event
 * @returns the sequence; undefined for a reader that has received no event
 * @throws Problem 400
 */
export function sequenceOf(header: string | undefined, last: number): number | undefined {
  if (!header) return undefined;
  if (/^\d{1,10}$/.test(header) && Number(header) <= last) return Number(header);
  throw invalid(`expected the id of an event of this job, 0 to ${last}, got ${quoted(header)}`);
}

/**
 * Parses the Last-Event-ID of the stream of all jobs.
 * @param now the current position of the database
 * @returns the position; undefined for a reader that starts with the next change
 * @throws Problem 400
 */
export function cursorOf(header: string | undefined, now: ChangeCursor): ChangeCursor | undefined {
  if (!header) return undefined;
  const cursor = header.length <= 500 ? ChangeCursor.parse(header) : undefined;
  if (cursor && !cursor.isAheadOf(now)) return cursor;
  throw invalid(
    `expected the id of an event of this stream, got ${quoted(header)}. Read GET /v1/jobs, and come without it.`,
  );
}

function invalid(message: string): Problem {
  return new Problem(400, 'invalid_last_event_id', 'The Last-Event-ID cannot be used', message, [
    { path: 'Last-Event-ID', message },
  ]);
}
