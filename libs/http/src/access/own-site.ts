import type { Request } from 'express';
import { Problem, quoted } from '../problem/problem';

const readingMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

export const changesSomething = ({ method }: Request): boolean => !readingMethods.has(method);

/** Checks under which name a request called this API, and which site's page sent it. */
export class OwnSite {
  private readonly publicUrl: URL | undefined;

  /** @param publicUrl the setting PUBLIC_URL */
  constructor(publicUrl: string | undefined) {
    this.publicUrl = publicUrl === undefined ? undefined : new URL(publicUrl);
  }

  /**
   * Protects an API without keys against DNS rebinding. Another site can make its own name resolve to our address. The
   * requests of its pages then have that name as their Host.
   * @throws Problem 421 for a Host that is neither a loopback name nor the host of PUBLIC_URL
   */
  refuseForeignHost(request: Request): void {
    // Health probes use any address of the machine, and their answer holds nothing secret.
    if (/^\/health(\/|$)/i.test(request.path)) return;
    // The second host may come from a proxy's X-Forwarded-Host. A script can also send that header, so both are checked.
    const hosts = [...new Set<string | undefined>([request.headers.host, request.host])];
    if (hosts.every((host) => this.isOwnHost(host))) return;
    const got = quoted(hosts.find((host) => !this.isOwnHost(host)) ?? '');
    const own = this.publicUrl === undefined ? '' : ` or ${this.publicUrl.hostname}`;
    const detail = `Expected a Host of this machine, such as localhost${own}, got ${got}. Without API_KEYS no other host is served: set PUBLIC_URL to the address that callers use, or set API_KEYS.`;
    throw new Problem(421, 'host_refused', 'This API is not known by that name', detail);
  }

  /**
   * Protects against cross-site request forgery. Another site can make a browser send a request with the user's session
   * or Basic password. The headers Origin and Sec-Fetch-Site then name the other site, and no script can set them.
   * @throws Problem 403 for a request that a page of another site sent to change something
   */
  refuseForeignOrigin(request: Request): void {
    const { origin, 'sec-fetch-site': site } = request.headers;
    if (origin === undefined && site !== 'cross-site') return;
    const own = this.originsOf(request);
    if (!changesSomething(request) || (origin !== undefined && own.includes(origin))) return;
    const got = origin === undefined ? 'another site' : quoted(origin);
    const detail = `Expected a request from a page of ${own.join(' or ')}, got one from ${got}. Programs send "Authorization: Bearer KEY"; if callers use another address for the API, set PUBLIC_URL to it.`;
    throw new Problem(403, 'origin_refused', 'Another site asks for this', detail);
  }

  /**
   * Whether a page of another site made the browser send the request, also a request that only reads. Programs send
   * neither header.
   */
  isForeignPage(request: Request): boolean {
    const { origin, 'sec-fetch-site': site } = request.headers;
    if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
    return origin !== undefined && !this.originsOf(request).includes(origin);
  }

  private isOwnHost(host: string | undefined): boolean {
    if (!host || /[/?#@\\]/.test(host) || !URL.canParse(`http://${host}`)) return false;
    const hostname = new URL(`http://${host}`).hostname.replace(/\.$/, '');
    return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname) || hostname === this.publicUrl?.hostname;
  }

  private originsOf(request: Request): string[] {
    const asked = `${request.protocol}://${request.host}`;
    return this.publicUrl === undefined ? [asked] : [asked, this.publicUrl.origin];
  }
}
