import { HttpException } from '@nestjs/common';
import { EnqueueRefused } from '@app/messaging';
import { isDatabaseUnavailable } from '@app/ledger';
import { StorageFault } from '@app/storage';
import { invalidBody, Problem, quoted } from './problem';

/** Converts any error to a problem. An unknown error becomes a 500 that reveals no internals. */
export function toProblem(error: unknown, request: { method: string; path: string }): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof EnqueueRefused) {
    const errors =
      error.path === undefined ? undefined : [{ path: error.path, message: error.message, rule: error.code }];
    return new Problem(422, error.code, 'The request cannot be kept', error.message, errors);
  }
  // Must come before the check for a database error: the cause of a storage error may look like a refused connection.
  if (error instanceof StorageFault) {
    const detail = 'Nothing of this request was stored. Send it again in a moment, with the same Idempotency-Key.';
    return new Problem(503, error.code, 'The file store cannot be used', detail, undefined, { 'Retry-After': '5' });
  }
  if (isDatabaseUnavailable(error)) {
    const title = 'The database does not answer';
    const detail = 'The request was not accepted. Send it again in a moment, with the same Idempotency-Key.';
    return new Problem(503, 'database_unavailable', title, detail, undefined, { 'Retry-After': '1' });
  }
  if (error instanceof HttpException) return fromStatus(error.getStatus(), error.message, request);
  if (isHttpError(error)) return fromStatus(error.status, error.message, request);
  return new Problem(500, 'internal_error', 'Something went wrong here', 'The fault is ours and was logged.');
}

function fromStatus(status: number, message: string, { method, path }: { method: string; path: string }): Problem {
  if (status === 404) {
    const detail = `${method} ${quoted(path)} is not known; see /docs.`;
    return new Problem(404, 'route_not_found', 'There is no such route', detail);
  }
  if (status === 400 && message.startsWith('Failed to decode param')) {
    const detail = `Expected a path in UTF-8, with % only before two hexadecimal digits. ${message}.`;
    return new Problem(400, 'invalid_path', 'The path cannot be read', detail);
  }
  if (status === 400) return invalidBody([{ path: '', message }]);
  return new Problem(status, 'request_refused', 'The request was refused', message);
}

/** Whether it is an error of the router or of a body parser (https://www.npmjs.com/package/http-errors). */
function isHttpError(error: unknown): error is Error & { readonly status: number } {
  const status = (error as { status?: unknown } | null)?.status;
  return error instanceof Error && typeof status === 'number' && status >= 400 && status < 500;
}
