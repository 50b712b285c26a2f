import type { Request } from 'express';
import { Problem, quoted } from '../problem/problem';

/**
 * Protects an API without keys against DNS rebinding. Another site can make its own name resolve to our address. The
 * requests of its pages then have that name as their Host.
 * @param publicUrl the setting PUBLIC_URL
 * @throws Problem 421 for a Host that is neither a loopback name nor the host of PUBLIC_URL
 */
export function refuseForeignHost(request: Request, publicUrl: string | undefined): void {
  // Health probes use any address of the machine, and their answer holds nothing secret.
  if (/^\/health(\/|$)/i.test(request.path)) return;
  const own = publicUrl === undefined ? undefined : new URL(publicUrl).hostname;
  // The second host may come from a proxy's X-Forwarded-Host. A script can also send that header, so both are checked.
  const hosts = [request.headers.host, request.host];
  if (hosts.every((host) => isLoopback(hostnameOf(host)) || (own !== undefined && hostnameOf(host) === own))) return;
  const got = quoted(hosts.find((host) => !isLoopback(hostnameOf(host))) ?? '');
  throw new Problem(
    421,
    'host_refused',
    'This API is not known by that name',
    `Expected a Host of this machine, such as localhost${own === undefined ? '' : ` or ${own}`}, got ${got}. Without API_KEYS no other host is served: set PUBLIC_URL to the address that callers use, or set API_KEYS.`,
  );
}

function hostnameOf(host: string | undefined): string | undefined {
  if (!host || /[/?#@\\]/.test(host) || !URL.canParse(`http://${host}`)) return undefined;
  return new URL(`http://${host}`).hostname.replace(/\.$/, '');
}

function isLoopback(hostname: string | undefined): boolean {
  return hostname !== undefined && /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
