import type { Request } from 'express';
import { Problem, quoted } from '../problem/problem';

const readingMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

export const changesSomething = ({ method }: Request): boolean => !readingMethods.has(method);

/**
 * Protects against cross-site request forgery. Another site can make a browser send a request with the user's session
 * or Basic password. The headers Origin and Sec-Fetch-Site then name the other site, and no script can set them.
 * @param publicUrl the setting PUBLIC_URL
 * @throws Problem 403 for a request of a page of another site
 */
export function refuseForeignOrigin(request: Request, publicUrl: string | undefined): void {
  const origin = request.headers.origin;
  const own = ownOrigins(request, publicUrl);
  const isForeign = origin === undefined ? request.headers['sec-fetch-site'] === 'cross-site' : !own.includes(origin);
  if (!isForeign) return;
  throw new Problem(
    403,
    'origin_refused',
    'Another site asks for this',
    `Expected a request from a page of ${own.join(' or ')}, got one from ${origin === undefined ? 'another site' : quoted(origin)}. Programs send "Authorization: Bearer KEY"; if callers use another address for the API, set PUBLIC_URL to it.`,
  );
}

/**
 * Whether a page of another site made the browser send the request, also a request that only reads. Programs send
 * neither header.
 */
export function comesFromAnotherSite(request: Request, publicUrl: string | undefined): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers;
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  return origin !== undefined && !ownOrigins(request, publicUrl).includes(origin);
}

function ownOrigins(request: Request, publicUrl: string | undefined): string[] {
  const asked = `${request.protocol}://${request.host}`;
  return publicUrl === undefined ? [asked] : [asked, new URL(publicUrl).origin];
}
