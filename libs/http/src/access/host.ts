import type { Request } from 'express';
import { Problem, quoted } from '../problem/problem';

/**
 * Without keys, what the browser can reach is all that protects the API. A page of another site can give its own name
 * our address (DNS rebinding); its requests then carry that name as their Host.
 * @throws Problem 421 for a host that is neither of this machine nor that of PUBLIC_URL
 */
export function refuseForeignHost(request: Request, publicUrl: string | undefined): void {
  // Probes ask by whatever address they have, and learn nothing that is worth a name.
  if (/^\/health(\/|$)/i.test(request.path)) return;
  const own = publicUrl === undefined ? undefined : new URL(publicUrl).hostname;
  // The second is what a proxy of ours says that it was asked for. A script can send that header, too.
  const hosts = [request.headers.host, request.host];
  if (hosts.every((host) => isLoopback(hostnameOf(host)) || (own !== undefined && hostnameOf(host) === own))) return;
  const got = quoted(hosts.find((host) => !isLoopback(hostnameOf(host))) ?? '');
  throw new Problem(
    421,
    'host_refused',
    'This API is not known by that name',
    `Expected a Host of this machine, such as localhost${own === undefined ? '' : ` or ${own}`}, got ${got}. Without API_KEYS no other is served: set PUBLIC_URL to the address that callers use, or set API_KEYS.`,
  );
}

function hostnameOf(host: string | undefined): string | undefined {
  if (!host || /[/?#@\\]/.test(host) || !URL.canParse(`http://${host}`)) return undefined;
  return new URL(`http://${host}`).hostname.replace(/\.$/, '');
}

function isLoopback(hostname: string | undefined): boolean {
  return hostname !== undefined && /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
