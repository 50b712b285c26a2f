import type { LookupAddress } from 'node:dns';
import { lookup as lookupLocally, Resolver } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { isPublicAddress } from './public-address';

export interface TargetPolicy {
  /** False outside production, where http is allowed. */
  readonly httpsOnly: boolean;
  /** Hosts, as written in a URL, that are not checked: for development and tests. */
  readonly allowedHosts: readonly string[];
  /**
   * Outside production, the address of the built-in receiver. Exactly this address is allowed, and no other on its
   * host.
   */
  readonly receiverUrl?: string | undefined;
}

/**
 * The target is not allowed. The message is the same for every reason: different messages for an unknown name, an
 * internal address and silent name servers would let a stranger explore our own network. `code` is internal; no caller
 * sees it.
 */
export class TargetRefused extends Error {
  constructor(
    readonly code: 'scheme' | 'credentials' | 'port' | 'address' | 'unresolved',
    message: string,
  ) {
    super(message);
    this.name = 'TargetRefused';
  }
}

const securePorts = ['443', '8443'];
const plainPorts = ['80', '8080'];

/**
 * A refusal takes at least this time, in milliseconds: an internal name server answers faster than one on the Internet.
 */
const refusalMs = 300;

/**
 * Keeps requests on behalf of others away from our own network (server-side request forgery, CWE-918). A URL is checked
 * twice: when it is set, so that its owner gets an error, and at each request. A name may have new addresses by then,
 * so the connection's own look-up checks the addresses that it connects to: nothing can change in between.
 */
export class TargetGuard {
  constructor(
    readonly policy: TargetPolicy,
    /** Returns an empty list for a name without addresses. */
    private readonly resolve: (hostname: string) => Promise<LookupAddress[]> = resolvePublicly,
  ) {}

  /** @throws TargetRefused */
  async check(url: string): Promise<void> {
    const { hostname } = this.checkUrl(url);
    if (!isIP(hostname) && !this.isReceiver(url)) await this.addressesOf(hostname);
  }

  /**
   * Checks what needs no look-up. A parsed URL holds an address in one form, however it was written: `0x7f.1` and
   * `2130706433` become `127.0.0.1`.
   * @throws TargetRefused
   */
  checkUrl(text: string): { url: URL; hostname: string } {
    const url = new URL(text);
    const hostname = url.hostname.replace(/^\[|\]$/g, '');
    const isSecure = url.protocol === 'https:';
    if (!isSecure && (url.protocol !== 'http:' || this.policy.httpsOnly)) throw this.refusal('scheme');
    if (url.username || url.password) throw this.refusal('credentials');
    if (this.policy.allowedHosts.includes(hostname) || this.isReceiver(text)) return { url, hostname };
    const ports = isSecure ? securePorts : plainPorts;
    if (!ports.includes(url.port || ports[0]!)) throw this.refusal('port');
    if (isIP(hostname)) this.assertPublic([hostname]);
    return { url, hostname };
  }

  /**
   * @returns whether the URL is exactly the address of the built-in receiver; a URL with a query or a fragment is not.
   *   A request to this URL does not use `lookup`, so its address is not checked
   */
  isReceiver(text: string): boolean {
    return this.policy.receiverUrl !== undefined && new URL(text).href === this.policy.receiverUrl;
  }

  /**
   * For `net.connect`, which connects to an address from this look-up and to no other. It is not called for a host that
   * is an address already; `checkUrl` has checked that one.
   */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.addressesOf(hostname).then(
      (addresses) => {
        if (options.all) callback(null, addresses);
        else callback(null, addresses[0]!.address, addresses[0]!.family);
      },
      (error: unknown) => callback(error as NodeJS.ErrnoException, []),
    );
  };

  /**
   * @throws TargetRefused when one of the addresses is not public: a name with public and private addresses is
   *   suspicious
   */
  private async addressesOf(hostname: string): Promise<LookupAddress[]> {
    if (this.policy.allowedHosts.includes(hostname)) {
      return lookupLocally(hostname, { all: true }).catch(() => Promise.reject(this.refusal('unresolved')));
    }
    const noSooner = delay(refusalMs);
    try {
      // The caller must not see whether a name server did not answer or has no such name.
      const addresses = await this.resolve(hostname).catch(() => []);
      if (addresses.length === 0) throw this.refusal('unresolved');
      this.assertPublic(addresses.map(({ address }) => address));
      return addresses;
    } catch (error) {
      await noSooner;
      throw error;
    }
  }

  private assertPublic(addresses: readonly string[]): void {
    if (!addresses.every(isPublicAddress)) throw this.refusal('address');
  }

  private refusal(code: TargetRefused['code']): TargetRefused {
    const { httpsOnly, receiverUrl } = this.policy;
    const plain = httpsOnly ? '' : `, or with http:// on port ${plainPorts.join(' or ')}`;
    const expected =
      `expected a URL with https:// on port ${securePorts.join(' or ')}${plain}, without user name and password, ` +
      'of a host that name servers know and whose addresses are all on the public Internet';
    const help =
      receiverUrl === undefined
        ? ''
        : `. In development, ${receiverUrl} is a receiver to try webhooks with, and WEBHOOK_ALLOW_HOSTS lets in hosts of your own`;
    return new TargetRefused(code, expected + help);
  }
}

/** The codes of answers that say that a name has no addresses of a family. */
const hasNone = new Set<string | undefined>(['ENOTFOUND', 'ENODATA', 'EBADNAME']);

/**
 * Asks the name servers directly. `dns.lookup` would also use /etc/hosts and search domains, which contain names of our
 * own network. It also occupies one of four threads while a slow server answers: a few endpoints with slow servers
 * could delay all others.
 */
async function resolvePublicly(hostname: string): Promise<LookupAddress[]> {
  // Milliseconds, for the first try at one name server; later tries wait longer. Two silent servers take about 7 s.
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  const none = (error: NodeJS.ErrnoException) => (hasNone.has(error.code) ? [] : Promise.reject(error));
  const found = await Promise.all([resolver.resolve4(hostname).catch(none), resolver.resolve6(hostname).catch(none)]);
  return found.flat().map((address) => ({ address, family: isIP(address) }));
}
