import type { RequestHandler } from 'express';
import { z } from 'zod';
import { parseQuery } from '../http/problem';

const wholeTo = (most: number) => z.coerce.number().int().min(1).max(most).optional();

/** What is read of a query of Bull Board's before it becomes a range of rows; the board checks the rest itself. */
const boardQuery = z.object({
  page: wholeTo(100_000),
  jobsPerPage: wholeTo(1_000_000), // capped by `capPageSize`
  // The board decodes it once more.
  activeQueue: z.string().refine(isEncodedName, { error: 'expected the name of a queue' }).optional(),
});

/** @throws Problem 400 */
export const checkBoardQuery: RequestHandler = (request, _response, next) => {
  // An empty one counts as not given, as on the board.
  const given = Object.entries(request.query).filter(([, value]) => value !== '');
  parseQuery(boardQuery, Object.fromEntries(given));
  next();
};

function isEncodedName(text: string): boolean {
  try {
    return !decodeURIComponent(text).includes('\0');
  } catch {
    return false;
  }
}
