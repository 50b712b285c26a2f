import { lookup as lookupLocally, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isPublicAddress } from './public-address';
import { resolvePublicly, type Resolve } from './public-dns';

export interface TargetPolicy {
  /** Outside production http will do as well. */
  readonly httpsOnly: boolean;
  /** Hosts, as they stand in a URL, that may be anything: for development and tests. */
  readonly allowedHosts: readonly string[];
  /** Outside production, the address of the built-in receiver: it is let in, and nothing else of its host. */
  readonly receiverUrl?: string | undefined;
}

/**
 * We do not send there. The message is the same for every refusal: one that told apart a name that does not exist, one
 * that leads inside and one whose name servers are silent would tell strangers the names of our own network. `code` is
 * for ourselves; no caller sees it.
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

/** A refused name is answered no sooner: a name server of our own knows its names faster than the Internet's. */
const refusalMs = 300;

/**
 * Keeps requests that others have asked for away from our own network (server-side request forgery, CWE-918). A URL is
 * looked at twice: when it is given, so that whoever gives it hears of it, and whenever something is sent there. Names
 * may lead elsewhere by then, so the second look is at the addresses that the connection is opened to, by the lookup
 * of the connection itself: there is no time in between.
 */
export class TargetGuard {
  constructor(
    private readonly policy: TargetPolicy,
    private readonly resolve: Resolve = resolvePublicly,
  ) {}

  /** @throws TargetRefused */
  async check(url: string): Promise<void> {
    const { hostname } = this.checkUrl(url);
    if (this.isReceiver(url)) return;
    await this.addressesOf(hostname);
  }

  /**
   * What can be said without asking anybody. A URL holds an address in one form only, however it was written
   * (`0x7f.1`, `2130706433`): parsing it makes `127.0.0.1` of these.
   * @throws TargetRefused
   */
  checkUrl(text: string): { url: URL; hostname: string } {
    const url = new URL(text);
    const hostname = url.hostname.replace(/^\[|\]$/g, '');
    const isSecure = url.protocol === 'https:';
    if (!isSecure && (url.protocol !== 'http:' || this.policy.httpsOnly)) {
      throw this.refusal('scheme');
    }
    if (url.username || url.password) throw this.refusal('credentials');
    if (this.isAllowed(hostname) || this.isReceiver(text)) return { url, hostname };
    const ports = isSecure ? securePorts : plainPorts;
    const port = url.port || ports[0]!;
    if (!ports.includes(port)) throw this.refusal('port');
    if (isIP(hostname)) this.assertPublic([hostname]);
    return { url, hostname };
  }

  /** Its exact address, without a query. Its connection needs no look-up of ours. */
  isReceiver(text: string): boolean {
    return this.policy.receiverUrl !== undefined && new URL(text).href === this.policy.receiverUrl;
  }

  /**
   * For `net.connect`, which opens its connection to what this answers and to nothing else. It does not ask where the
   * host is an address already; `checkUrl` has seen that one.
   */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.addressesOf(hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (options.all) callback(null, addresses);
        else callback(null, first!.address, first!.family);
      },
      (error: unknown) => callback(error as NodeJS.ErrnoException, []),
    );
  };

  /** @throws TargetRefused when one of them is not public: a name that is both is one to keep away from */
  private async addressesOf(hostname: string): Promise<LookupAddress[]> {
    const family = isIP(hostname);
    if (family) {
      if (!this.isAllowed(hostname)) this.assertPublic([hostname]);
      return [{ address: hostname, family }];
    }
    if (this.isAllowed(hostname)) {
      return promisify(lookupLocally)(hostname, { all: true }).catch(() => Promise.reject(this.refusal('unresolved')));
    }
    const noSooner = delay(refusalMs);
    try {
      // Name servers that do not answer are no news either.
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

  private isAllowed(hostname: string): boolean {
    return this.policy.allowedHosts.includes(hostname);
  }
}
