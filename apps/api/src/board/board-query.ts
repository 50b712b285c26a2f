import type { RequestHandler } from 'express';
import { z } from 'zod';
import { parseQuery } from '@app/http';
import { mostRows } from './board-adapter';

const wholeTo = (most: number) => z.coerce.number().int().min(1).max(most).optional();

/** The query parameters that determine a range of rows. The board itself checks the others. */
const boardQuery = z.object({
  page: wholeTo(100_000),
  jobsPerPage: wholeTo(1_000_000),
  // The board decodes this value a second time.
  activeQueue: z.string().refine(isEncodedName, { error: 'expected the name of a queue' }).optional(),
});

/**
 * Express middleware that caps `jobsPerPage`, because Bull Board accepts any value. The cap comes before the board
 * computes the pages, so that no page overlaps or skips rows. The adapters enforce the same cap again.
 * @throws Problem 400 when `page`, `jobsPerPage` or `activeQueue` is invalid
 */
export const readBoardQuery: RequestHandler = (request, _response, next) => {
  // An empty parameter counts as missing, as in the board.
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
