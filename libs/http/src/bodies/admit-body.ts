import type { Request, RequestHandler } from 'express';
import { identityOf } from '../access';
import { bodyTooLarge, Problem } from '../problem/problem';
import { uploadLimits } from './body-limits';
import { closeAfterAnswer, hasBody } from './close-unread';

/**
 * Express middleware that runs after the caller is identified and before any route. It refuses a body, before its first
 * byte is read, if the caller has no key, the body is compressed, or the body is larger than any route accepts.
 * @throws Problem 401, 413, 415 or 429. The connection is closed after the answer.
 */
export const admitBody: RequestHandler = (request, response, next) => {
  if (hasBody(request)) {
    try {
      identityOf(request);
      refuseEncoded(request);
      refuseHuge(request);
    } catch (error) {
      closeAfterAnswer(request, response);
      throw error;
    }
  }
  next();
};

/** Refuses compressed bodies: a few hundred bytes can inflate to more than any limit. */
function refuseEncoded({ headers }: Request): void {
  const encodings = [
    ['Content-Encoding', headers['content-encoding'] ?? 'identity', 'identity'],
    ['Transfer-Encoding', headers['transfer-encoding'] ?? 'chunked', 'chunked'],
  ] as const;
  for (const [name, got, expected] of encodings) {
    if (got.trim().toLowerCase() === expected) continue;
    const detail = `Expected a body that is not compressed, with no ${name} other than ${expected}.`;
    throw new Problem(415, 'encoding_unsupported', 'Compressed bodies are not taken', detail);
  }
}

function refuseHuge({ headers }: Request): void {
  if (!(Number(headers['content-length'] ?? 0) > uploadLimits.bytes)) return;
  const detail = `Expected at most ${uploadLimits.bytes} bytes, the most that any route takes.`;
  throw bodyTooLarge(detail);
}
