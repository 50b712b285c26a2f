import { lookup as lookupLocally, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { promisify } from 'node:util';
import { isPublicAddress } from './public-address';
import { resolvePublicly, type Resolve } from './public-dns';

export interface TargetPolicy {
  /** Outside production http will do as well. */
  readonly httpsOnly: boolean;
  /** Hosts, as they stand in a URL, that may be anything: for development and tests. */
  readonly allowedHosts: readonly string[];
}

/** We do not send there; `code` is stable, the message says why. */
export class TargetRefused extends Error {
  constructor(
    readonly code: 'scheme' | 'credentials' | 'port' | 'address' | 'unresolved',
    message: string,
  ) {
    super(message);
    this.name = 'TargetRefused';
  }
}

const hint = '(in development, WEBHOOK_ALLOW_HOSTS can let it in)';

const securePorts = ['443', '8443'];
const plainPorts = ['80', '8080'];

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
      throw new TargetRefused('scheme', `expected ${this.schemes}, got ${url.protocol}//`);
    }
    if (url.username || url.password) {
      throw new TargetRefused(
        'credentials',
        'expected no user name and password in the URL: the signature says who sends',
      );
    }
    if (this.isAllowed(hostname)) return { url, hostname };
    const ports = isSecure ? securePorts : plainPorts;
    const port = url.port || ports[0]!;
    if (!ports.includes(port)) {
      throw new TargetRefused('port', `expected port ${ports.join(' or ')} for ${url.protocol}//, got ${port}`);
    }
    if (isIP(hostname)) assertPublic(hostname, [hostname]);
    return { url, hostname };
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
      if (!this.isAllowed(hostname)) assertPublic(hostname, [hostname]);
      return [{ address: hostname, family }];
    }
    if (this.isAllowed(hostname)) return promisify(lookupLocally)(hostname, { all: true });
    const addresses = await this.resolve(hostname);
    if (addresses.length === 0) {
      throw new TargetRefused(
        'unresolved',
        `expected a host that has an address on the public Internet, "${hostname}" has none ${hint}`,
      );
    }
    assertPublic(
      hostname,
      addresses.map(({ address }) => address),
    );
    return addresses;
  }

  private isAllowed(hostname: string): boolean {
    return this.policy.allowedHosts.includes(hostname);
  }

  private get schemes(): string {
    return this.policy.httpsOnly ? 'https://' : 'https:// or http://';
  }
}

function assertPublic(hostname: string, addresses: readonly string[]): void {
  if (addresses.every(isPublicAddress)) return;
  // Which address it is, is nobody's business who can only ask for names.
  throw new TargetRefused('address', `expected a host on the public Internet, "${hostname}" is none ${hint}`);
}
