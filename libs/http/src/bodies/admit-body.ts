import type { Request, RequestHandler } from 'express';
import { identityOf } from '../access';
import { bodyTooLarge, Problem } from '../problem/problem';
import { uploadLimits } from './body-limits';
import { closeAfterAnswer, hasBody } from './close-unread';

/**
 * Express middleware, after the caller is known and before any route. No byte of a body is read for a caller without
 * a key, on any route or none; nor of a body that is compressed, or larger than any route takes.
 * @throws Problem 401, 413, 415 or 429, after which the connection is closed
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

/** A few hundred bytes can inflate to as much as any limit allows, so nothing is inflated. */
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
