import type { Request, RequestHandler, Response } from 'express';
import { identityOf } from '../access/identity';
import { bodyTooLarge, Problem } from '../problem/problem';
import { beforeHead } from '../server/before-head';
import { uploadLimits } from './body-limits';

/** How long the caller may read the answer before the connection is reset, in ms. */
const lingerMs = 1_000;

/** Whether the headers announce a body (RFC 9112, 6.3). */
export function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * Express middleware that must run first. If the API answers before the whole body has arrived, it closes the
 * connection and never reads the rest. Without this, Node would read and discard the rest, however long it is.
 */
export const closeUnread: RequestHandler = (request, response, next) => {
  if (hasBody(request)) {
    beforeHead(response, () => {
      if (!request.complete) closeAfterAnswer(request, response);
    });
  }
  next();
};

/**
 * Express middleware that runs after the caller is identified and before any route. It refuses a body, before its first
 * byte is read, if the caller has no key, the body is compressed, or the body is larger than any route accepts.
 * @throws Problem 401, 413, 415 or 429. The connection is closed after the answer.
 */
export const admitBody: RequestHandler = (request, response, next) => {
  if (hasBody(request)) {
    try {
      identityOf(request);
      checkHeaders(request);
    } catch (error) {
      closeAfterAnswer(request, response);
      throw error;
    }
  }
  next();
};

/** Refuses huge bodies, and compressed ones: a few hundred bytes can inflate to more than any limit. */
function checkHeaders({ headers }: Request): void {
  const encodings = [
    ['Content-Encoding', headers['content-encoding'] ?? 'identity', 'identity'],
    ['Transfer-Encoding', headers['transfer-encoding'] ?? 'chunked', 'chunked'],
  ] as const;
  for (const [name, got, expected] of encodings) {
    if (got.trim().toLowerCase() === expected) continue;
    const detail = `Expected a body that is not compressed, with no ${name} other than ${expected}.`;
    throw new Problem(415, 'encoding_unsupported', 'Compressed bodies are not taken', detail);
  }
  if (Number(headers['content-length'] ?? 0) > uploadLimits.bytes) {
    throw bodyTooLarge(`Expected at most ${uploadLimits.bytes} bytes, the most that any route takes.`);
  }
}

/** Sends `Connection: close` and closes the connection after the answer. Call it before the answer is written. */
export function closeAfterAnswer({ socket }: Request, response: Response): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
  // Node calls this function at the end of the answer. Node's own version closes at once. With unread bytes that is a
  // reset, and the caller would lose the answer.
  socket.destroySoon = () => {
    socket.end();
    // Node resumes the socket in the next tick, so the pause comes after that.
    setImmediate(() => socket.pause());
    setTimeout(() => socket.destroy(), lingerMs).unref();
  };
}
