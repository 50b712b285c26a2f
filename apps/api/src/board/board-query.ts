import type { RequestHandler } from 'express';
import { z } from 'zod';
import { parseQuery } from '@app/http';
import { mostRows } from './board-adapter';

const wholeTo = (most: number) => z.coerce.number().int().min(1).max(most).optional();

/** What is read of a query of Bull Board's before it becomes a range of rows; the board checks the rest itself. */
const boardQuery = z.object({
  page: wholeTo(100_000),
  jobsPerPage: wholeTo(1_000_000),
  // The board decodes it once more.
  activeQueue: z.string().refine(isEncodedName, { error: 'expected the name of a queue' }).optional(),
});

/**
 * Bull Board takes any `jobsPerPage`. It is capped before the board reckons with it, so that its pages follow each
 * other. The cap that nothing gets around is that of the adapters.
 * @throws Problem 400
 */
export const readBoardQuery: RequestHandler = (request, _response, next) => {
  // An empty one counts as not given, as on the board.
  const given = Object.fromEntries(Object.entries(request.query).filter(([, value]) => value !== ''));
  const { jobsPerPage = 0 } = parseQuery(boardQuery, given);
  if (jobsPerPage > mostRows) {
    const [path, query] = request.url.split('?', 2);
    const parameters = new URLSearchParams(query);
    parameters.set('jobsPerPage', String(mostRows));
    request.url = `${path}?${parameters.toString()}`;
  }
  next();
};

function isEncodedName(text: string): boolean {
  try {
    return !decodeURIComponent(text).includes('\0');
  } catch {
    return false;
  }
}
