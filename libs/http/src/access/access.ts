import { ThrottlerStorageService, normalizeIp } from '@nestjs/throttler';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { ApiKey, Settings } from '@app/configuration';
import { isNoStranger } from '../server/api-server';
import { Problem } from '../problem/problem';
import { toProblem } from '../problem/to-problem';
import { findKey, readCredentials } from './credentials';
import { everybody, identities, type Identity } from './identity';
import { OwnSite } from './own-site';
import { Sessions } from './sessions';

/** The number of wrong keys that an address may send in `withinMs` ms. */
const wrongKeys = 20;
const withinMs = 10_000;

/**
 * Identifies the caller of a request. The routes declare which roles may call them: Nest routes with `@Roles`, other
 * routes with middleware.
 */
export class Access {
  private readonly keys: readonly ApiKey[] | undefined;
  private readonly site: OwnSite;
  readonly sessions: Sessions;
  private readonly guesses = new ThrottlerStorageService();

  constructor(settings: Pick<Settings, 'API_KEYS' | 'SIGNING_SECRET' | 'PUBLIC_URL'>) {
    this.keys = settings.API_KEYS;
    this.site = new OwnSite(settings.PUBLIC_URL);
    this.sessions = new Sessions(this.keys ?? [], settings);
  }

  /** Express middleware, in this order. It must run before every handler that checks access. */
  get middleware(): RequestHandler[] {
    return [this.sessions.middleware, (request, response, next) => this.identify(request, response, next)];
  }

  private async identify(request: Request, response: Response, next: NextFunction): Promise<void> {
    let identity: Identity | Problem = everybody;
    if (!this.keys) this.site.refuseForeignHost(request);
    else identity = await this.whoIs(this.keys, request, response).catch((error: unknown) => toProblem(error, request));
    identities.set(request, identity);
    if (!(identity instanceof Problem)) isNoStranger(request);
    // Another site cannot make a browser send a Bearer key: the site does not have the key.
    const isBearer = 'by' in identity && identity.by === 'bearer';
    if (!isBearer) this.site.refuseForeignOrigin(request);
    next();
  }

  private async whoIs(keys: readonly ApiKey[], request: Request, response: Response): Promise<Identity | Problem> {
    const header = request.headers.authorization;
    if (header === undefined) return this.whoseSession(request);
    const credentials = readCredentials(header);
    if (!credentials) return unauthenticated('an Authorization header that is neither Bearer nor Basic');
    const key = findKey(keys, credentials.key);
    if (!key) return this.refuseWrongKey(request);
    const identity = { tenant: key.tenant, roles: key.roles, by: credentials.by };
    const isBrowser = credentials.by === 'basic' && !this.site.isForeignPage(request);
    return isBrowser ? { ...identity, session: await this.sessions.keepOrBegin(request, response, key) } : identity;
  }

  private async whoseSession(request: Request): Promise<Identity | Problem> {
    const session = await this.sessions.of(request);
    if (session === undefined) return unauthenticated('none');
    if (session === 'ended') return unauthenticated('a session that has ended');
    return { tenant: session.key.tenant, roles: session.key.roles, by: 'session', session: session.id };
  }

  /**
   * Counts wrong keys by address and limits an address that tries many of them. A right key is never limited, because
   * other callers may share the address.
   */
  private async refuseWrongKey(request: Request): Promise<Problem> {
    // An IPv6 network counts as one address, because it belongs to one customer.
    const address = normalizeIp(request.ip ?? '');
    const count = this.guesses.storage.get(address);
    const waitSeconds = count?.isBlocked ? Math.ceil((count.blockExpiresAt - Date.now()) / 1_000) : 0;
    await this.guesses.increment(address, withinMs, wrongKeys - 1, withinMs, 'wrong keys');
    return waitSeconds > 0 ? tooManyWrongKeys(waitSeconds) : unauthenticated('a key that is not known');
  }
}

function unauthenticated(what: string): Problem {
  const detail = `Expected "Authorization: Bearer KEY", or Basic with the key as password, got ${what}.`;
  // `Basic` makes a browser ask its user. Each scheme has its own line: Chromium ignores Basic beside another scheme.
  const headers = { 'WWW-Authenticate': ['Basic realm="node-message-queue"', 'Bearer'] };
  return new Problem(401, 'unauthenticated', 'A key is needed', detail, undefined, headers);
}

function tooManyWrongKeys(seconds: number): Problem {
  const title = 'Too many wrong keys came from this address';
  const detail = `Expected a known key; ask again in ${seconds} s.`;
  return new Problem(429, 'too_many_wrong_keys', title, detail, undefined, { 'Retry-After': String(seconds) });
}
