import type { RequestHandler } from 'express';
import { changesSomething, Problem } from '@app/http';

/** The allowed actions: retry one job, retry all failed jobs, remove one job. Paths are relative to the board. */
const allowed = /^\/api\/queues\/[^/]+\/(retry\/failed|[^/]+\/(retry|clean))$/;

/**
 * Express middleware that refuses every other action of the board.
 * @throws Problem 405
 */
export const refuseOtherActions: RequestHandler = (request, _response, next) => {
  if (changesSomething(request) && !allowed.test(request.path)) {
    throw new Problem(
      405,
      'not_on_the_board',
      'The board cannot do that',
      'The board can retry a failed job and remove an unfinished one. The ledger controls everything else; see /docs.',
    );
  }
  next();
};

/**
 * Hides the buttons of actions that the API refuses. The rules find a button by its Lucide icon. Retry stays visible.
 * Remove stays visible for an open job: a failed job also has a retry button, and a completed job has no pencil.
 */
export const boardStyle = `
  ul[class*='jobActions'] li, ul[class*='queueActions'] li, button:has(> .lucide-ellipsis-vertical) { display: none }
  ul[class*='jobActions'] li:has(.lucide-refresh-cw), ul[class*='queueActions'] li:has(.lucide-refresh-cw) { display: revert }
  ul[class*='jobActions']:has(.lucide-pencil):not(:has(.lucide-refresh-cw)) li:has(.lucide-trash-2) { display: revert }
`;
