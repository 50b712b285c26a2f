import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { ApiKey, Role, Settings } from '@app/configuration';
import { isNoStranger } from '../server/api-server';
import { Problem } from '../problem/problem';
import { toProblem } from '../problem/to-problem';
import { findKey, readCredentials } from './credentials';
import { GuessLimit } from './guess-limit';
import { demandRole, everybody, identityOf, rememberIdentity, type Identity } from './identity';
import { refuseForeignHost } from './host';
import { changesSomething, comesFromAnotherSite, refuseForeignOrigin } from './origin';
import { Sessions } from './sessions';

type AccessSettings = Pick<Settings, 'API_KEYS' | 'SIGNING_SECRET' | 'PUBLIC_URL'>;

/**
 * Identifies the caller of a request. The routes declare which roles may call them: Nest routes with `@Roles`, other
 * routes with `demand`.
 */
export class Access {
  private readonly keys: readonly ApiKey[] | undefined;
  readonly sessions: Sessions;
  private readonly guesses = new GuessLimit();

  constructor(private readonly settings: AccessSettings) {
    this.keys = settings.API_KEYS;
    this.sessions = new Sessions(this.keys ?? [], settings);
  }

  /** Express middleware, in this order. It must run before every handler that checks access. */
  get middleware(): RequestHandler[] {
    return [this.sessions.middleware, (request, response, next) => this.identify(request, response, next)];
  }

  /**
   * Express middleware for pages that are middleware themselves, since no Nest guard runs for them.
   * @param anyOf returns the allowed roles; 'any' allows every known caller
   * @throws Problem 401 or 429 for an unknown caller, 403 without one of the roles
   */
  demand(anyOf: (request: Request) => readonly Role[] | 'any'): RequestHandler {
    return (request, _response, next) => {
      const identity = identityOf(request);
      const wanted = anyOf(request);
      if (wanted !== 'any') demandRole(identity, wanted);
      next();
    };
  }

  private async identify(request: Request, response: Response, next: NextFunction): Promise<void> {
    if (!this.keys) refuseForeignHost(request, this.settings.PUBLIC_URL);
    const identity = await this.whoIs(request, response).catch((error: unknown) => toProblem(error, request));
    rememberIdentity(request, identity);
    if (!(identity instanceof Problem)) isNoStranger(request);
    // Another site cannot make a browser send a Bearer key: the site does not have the key.
    const isBearer = !(identity instanceof Problem) && identity.by === 'bearer';
    if (changesSomething(request) && !isBearer) refuseForeignOrigin(request, this.settings.PUBLIC_URL);
    next();
  }

  private async whoIs(request: Request, response: Response): Promise<Identity | Problem> {
    if (!this.keys) return everybody;
    const header = request.headers.authorization;
    if (header === undefined) return this.whoseSession(request);
    const credentials = readCredentials(header);
    if (!credentials) return unauthenticated('an Authorization header that is neither Bearer nor Basic');
    const key = findKey(this.keys, credentials.key);
    if (!key) {
      const waitSeconds = await this.guesses.countWrongKey(request);
      return waitSeconds > 0 ? tooManyWrongKeys(waitSeconds) : unauthenticated('a key that is not known');
    }
    const identity = { tenant: key.tenant, roles: key.roles, by: credentials.by };
    const isBrowser = credentials.by === 'basic' && !comesFromAnotherSite(request, this.settings.PUBLIC_URL);
    return isBrowser ? { ...identity, session: await this.sessions.keepOrBegin(request, response, key) } : identity;
  }

  private async whoseSession(request: Request): Promise<Identity | Problem> {
    const session = await this.sessions.of(request);
    if (session === undefined) return unauthenticated('none');
    if (session === 'ended') return unauthenticated('a session that has ended');
    return { tenant: session.key.tenant, roles: session.key.roles, by: 'session', session: session.id };
  }
}

function unauthenticated(what: string): Problem {
  return new Problem(
    401,
    'unauthenticated',
    'A key is needed',
    `Expected "Authorization: Bearer KEY", or Basic with the key as password, got ${what}.`,
    undefined,
    // `Basic` makes a browser ask its user. Each scheme has its own line: Chromium ignores Basic beside another scheme.
    { 'WWW-Authenticate': ['Basic realm="node-message-queue"', 'Bearer'] },
  );
}

function tooManyWrongKeys(seconds: number): Problem {
  return new Problem(
    429,
    'too_many_wrong_keys',
    'Too many wrong keys came from this address',
    `Expected a known key; ask again in ${seconds} s.`,
    undefined,
    { 'Retry-After': String(seconds) },
  );
}
