import type { LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';

/** @returns the addresses of a name; an empty list when it has none */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/** Shorter than a caller of the API waits; milliseconds. */
const options = { timeout: 1_000, tries: 2 };

const hasNone = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME']);

/**
 * Asks the name servers directly. `dns.lookup` would also use /etc/hosts and search domains, which contain names of our
 * own network. It also occupies one of four threads while a slow server answers: a few endpoints with slow servers
 * could delay all others.
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
