import type { Request, RequestHandler, Response } from 'express';
import { beforeHead } from '../server/before-head';

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
