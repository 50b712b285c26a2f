import { ChangeCursor } from '@app/ledger';
import { Problem, quoted } from '@app/http';

/**
 * @param header what a browser sends when it comes back
 * @param last the sequence of the job's last event
 * @returns undefined for a reader that has seen nothing yet
 * @throws Problem 400
 */
export function sequenceOf(header: string | undefined, last: number): number | undefined {
  if (!header) return undefined;
  if (/^\d{1,10}$/.test(header) && Number(header) <= last) return Number(header);
  throw invalid(`expected the id of an event of this job, 0 to ${last}, got ${quoted(header)}`);
}

/**
 * @param now what the database has come to
 * @returns undefined for a reader to whom only what comes is news
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
