import type { Request, RequestHandler, Response } from 'express';
import { beforeHead } from '../server/before-head';

/** The caller has this long to read the answer before its connection is reset. */
const lingerMs = 1_000;

/** Whether the request says that a body follows (RFC 9112, 6.3). */
export function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * Express middleware, the first of all. An answer that comes before the whole body has come closes the connection:
 * the rest of the body is never read. Node would read it to its end, however long, and throw it away.
 */
export const closeUnread: RequestHandler = (request, response, next) => {
  if (hasBody(request)) {
    beforeHead(response, () => {
      if (!request.complete) closeAfterAnswer(request, response);
    });
  }
  next();
};

/** The answer says `Connection: close`, and then the connection is closed. Call it before the answer is written. */
export function closeAfterAnswer({ socket }: Request, response: Response): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
  // What Node calls at the end of such an answer. Its own closes at once: with bytes unread that is a reset, which
  // takes the answer away from the caller.
  socket.destroySoon = () => {
    socket.end();
    // After Node's own resume, which is put off to the next tick.
    setImmediate(() => socket.pause());
    setTimeout(() => socket.destroy(), lingerMs).unref();
  };
}
