import { AsyncLocalStorage } from 'node:async_hooks';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { changesSomething, demandRole, identityOf, mayBe, nameOf, parseQuery, Problem } from '@app/http';
import { mostRows } from './board-adapter';

/** The rights of the board's current viewer. The adapters need them and do not get the request. */
export const boardRequest = new AsyncLocalStorage<{
  readonly mayChange: boolean;
  readonly isUser: boolean;
  readonly by: string;
}>();

/**
 * Express middleware that lets operators change jobs and viewers look. It remembers the viewer for the adapters.
 * @throws Problem 401, 403 or 429
 */
export const identifyViewer: RequestHandler = (request, _response, next) => {
  const identity = identityOf(request);
  demandRole(identity, [changesSomething(request) ? 'operator' : 'viewer']);
  const [mayChange, isUser] = [mayBe(identity, ['operator']), mayBe(identity, ['user'])];
  boardRequest.run({ mayChange, isUser, by: nameOf(identity) }, next);
};

/** The allowed actions: retry one job, retry all failed jobs, remove one job. Paths are relative to the board. */
const allowed = /^\/api\/queues\/[^/]+\/(retry\/failed|[^/]+\/(retry|clean))$/;

/**
 * Express middleware that refuses every change by the board that `allowed` does not match.
 * @throws Problem 405
 */
export const refuseOtherActions: RequestHandler = (request, _response, next) => {
  if (changesSomething(request) && !allowed.test(request.path)) {
    const detail =
      'The board can retry a failed job and remove an unfinished one. The ledger controls everything else; see /docs.';
    throw new Problem(405, 'not_on_the_board', 'The board cannot do that', detail);
  }
  next();
};

const wholeTo = (most: number) => z.coerce.number().int().min(1).max(most).optional();

/** The query parameters that determine a range of rows. The board itself checks the others. */
const boardQuery = z.object({
  page: wholeTo(100_000),
  jobsPerPage: wholeTo(1_000_000),
  // Bull Board calls decodeURIComponent on this value again, which throws for a malformed escape.
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
