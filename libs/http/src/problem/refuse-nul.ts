import type { RequestHandler } from 'express';
import { Problem } from './problem';

/**
 * Express middleware that refuses a URL with a NUL. No route needs one, and PostgreSQL rejects it.
 * @throws Problem 400
 */
export const refuseNul: RequestHandler = (request, _response, next) => {
  if (request.originalUrl.includes('%00')) {
    const inPath = request.path.includes('%00');
    const [code, where] = inPath ? ['invalid_path', 'path'] : ['invalid_query', 'query'];
    throw new Problem(400, code, `The ${where} cannot be read`, `Expected a ${where} without NUL characters (%00).`);
  }
  next();
};
