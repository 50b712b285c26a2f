import type { LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';

/** @returns the addresses of a name; none when it has none */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/** Less than a caller of the API waits. */
const options = { timeout: 1_000, tries: 2 };

const hasNone = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME']);

/**
 * Asks the name servers themselves. `dns.lookup` would also take names from /etc/hosts and try a search domain, which
 * are names of our own network, and it keeps one of four threads busy for as long as a slow server takes: a few
 * endpoints with one could hold up all others.
 */
export async function resolvePublicly(hostname: string): Promise<LookupAddress[]> {
  const resolver = new Resolver(options);
  const ask = async (family: 4 | 6): Promise<LookupAddress[]> => {
    try {
      const addresses = await (family === 4 ? resolver.resolve4(hostname) : resolver.resolve6(hostname));
      return addresses.map((address) => ({ address, family }));
    } catch (error) {
      if (hasNone.has((error as NodeJS.ErrnoException).code ?? '')) return [];
      throw error;
    }
  };
  return (await Promise.all([ask(4), ask(6)])).flat();
}
