import type { RequestHandler } from 'express';
import { changesSomething, Problem } from '@app/http';

/** Retry one, retry all that failed, remove one: what the ledger can do for the board. Paths count from the board's. */
const allowed = /^\/api\/queues\/[^/]+\/(retry\/failed|[^/]+\/(retry|clean))$/;

/** Everything else that BullMQ would do to a queue is the ledger's business. */
export const refuseOtherActions: RequestHandler = (request, _response, next) => {
  if (changesSomething(request) && !allowed.test(request.path)) {
    throw new Problem(
      405,
      'not_on_the_board',
      'The board cannot do that',
      'Here a failed job can be retried and an open one removed. The ledger decides the rest; see /docs.',
    );
  }
  next();
};

/**
 * No button that lies: of the actions that Bull Board draws, those that are left can be kept. By the icons, which have
 * the names that they have in Lucide: retry, and remove where a job is still open (a failed one has a retry beside it, a
 * completed one has no pencil).
 */
export const boardStyle = `
  ul[class*='jobActions'] li, ul[class*='queueActions'] li, button:has(> .lucide-ellipsis-vertical) { display: none }
  ul[class*='jobActions'] li:has(.lucide-refresh-cw), ul[class*='queueActions'] li:has(.lucide-refresh-cw) { display: revert }
  ul[class*='jobActions']:has(.lucide-pencil):not(:has(.lucide-refresh-cw)) li:has(.lucide-trash-2) { display: revert }
`;
