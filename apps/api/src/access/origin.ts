import type { Request } from 'express';
import { Problem } from '../http/problem';

const readingMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

export const changesSomething = ({ method }: Request): boolean => !readingMethods.has(method);

/**
 * A browser sends its session, or the Basic password it remembers, with a request that another site made it send.
 * It also says so, in headers that no script can set.
 * @throws Problem 403
 */
export function refuseForeignOrigin(request: Request, publicUrl: string | undefined): void {
  const origin = request.headers.origin;
  const own = [
    `${request.protocol}://${request.host}`,
    ...(publicUrl === undefined ? [] : [new URL(publicUrl).origin]),
  ];
  const isForeign = origin === undefined ? request.headers['sec-fetch-site'] === 'cross-site' : !own.includes(origin);
  if (!isForeign) return;
  throw new Problem(
    403,
    'origin_refused',
    'Another site asks for this',
    `Expected a request from a page of ${own.join(' or ')}, got one from ${origin ?? 'another site'}. Programs send "Authorization: Bearer KEY"; where the API has another address for its callers, PUBLIC_URL says which.`,
  );
}
