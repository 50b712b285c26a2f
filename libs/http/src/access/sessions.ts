import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import cookieSession from 'cookie-session';
import type { Request, RequestHandler, Response } from 'express';
import type { Pool } from 'pg';
import type { ApiKey, Settings } from '@app/configuration';
import { statement, type Database } from '@app/ledger';
import { beforeHead } from '../server/before-head';
import { isUuid } from '../request/is-uuid';
import { signingKey } from './signing-key';

const lifeMs = 8 * 60 * 60 * 1_000;

/** The content of the cookie. The browser can read it, but cannot derive the API key from it. */
interface Session {
  /** The id of the session, which a log-out ends. */
  readonly id: string;
  /** The fingerprint of the key. Removing a key ends its sessions. */
  readonly key: string;
  /** The end of the session, in ms since 1970. It is checked here because a browser or a thief may keep the cookie. */
  readonly until: number;
}

interface BrowserSession {
  readonly id: string;
  readonly key: ApiKey;
}

/**
 * Cookie sessions for browsers. A browser cannot send a header with an EventSource, and a script cannot keep a secret
 * in the browser.
 */
export class Sessions {
  private readonly secret: Buffer;
  private readonly fingerprints: readonly (readonly [Buffer, ApiKey])[];
  private readonly isHttps: boolean;
  /** The requests that log out. */
  private readonly ended = new WeakSet<Request>();
  readonly middleware: RequestHandler;
  /** The database that holds the ended sessions of all processes. Must be set before the first request. */
  database!: Pool;

  constructor(keys: readonly ApiKey[], settings: Pick<Settings, 'SIGNING_SECRET' | 'PUBLIC_URL'>) {
    this.secret = signingKey('session', keys, settings.SIGNING_SECRET);
    this.fingerprints = keys.map((key) => [Buffer.from(this.fingerprintOf(key)), key]);
    this.isHttps = settings.PUBLIC_URL?.startsWith('https:') ?? false;
    this.middleware = cookieSession({
      // With this prefix, a browser accepts the cookie only from this host and only over HTTPS (RFC 6265bis, 4.1.3.2).
      name: this.isHttps ? '__Host-session' : 'session',
      // Without PUBLIC_URL, `secure` is set if the request came over HTTPS.
      ...(this.isHttps && { secure: true }),
      keys: [this.secret.toString('base64')],
      maxAge: lifeMs,
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
    });
  }

  /**
   * Keeps the session of the request if it belongs to the key. Otherwise begins a new session with the answer, unless
   * the answer is an error or the request logs out.
   * @returns the id of the session
   */
  async keepOrBegin(request: Request, response: Response, key: ApiKey): Promise<string> {
    const current = await this.of(request);
    if (current && current !== 'ended' && current.key === key) return current.id;
    const id = randomUUID();
    // Read now: later, `request` may belong to Bull Board's own Express app, which has no `trust proxy` setting.
    const { protocol } = request;
    beforeHead(response, () => {
      if (response.statusCode >= 400 || this.ended.has(request)) return;
      this.write(request, { id, key: this.fingerprintOf(key), until: Date.now() + lifeMs }, protocol);
    });
    return id;
  }

  /**
   * Finds the session of a request.
   * @returns undefined without a session or with a forged one; 'ended' if the session has expired, its key was removed,
   *   or its user has logged out
   */
  async of(request: Request): Promise<BrowserSession | 'ended' | undefined> {
    const session = this.read(request);
    if (session === undefined || session === 'ended') return session;
    return (await endedSessions(this.database, [session.id])).length > 0 ? 'ended' : session;
  }

  /** Ends the session of the request for every process, and removes the cookie. */
  async end(request: Request): Promise<void> {
    this.ended.add(request);
    const session = this.read(request);
    if (session && session !== 'ended') await endStatement.run(this.database, { id: session.id, lifeMs });
    if (session) this.write(request, null, request.protocol);
  }

  private read(request: Request): BrowserSession | 'ended' | undefined {
    const session = request.session as (Partial<Session> & { isNew?: boolean }) | null | undefined;
    if (!session || session.isNew) return undefined;
    const { id, key, until } = session;
    if (typeof id !== 'string' || !isUuid(id) || typeof key !== 'string' || typeof until !== 'number') return 'ended';
    const fingerprint = Buffer.from(key);
    const found = this.fingerprints.find(
      ([known]) => known.length === fingerprint.length && timingSafeEqual(known, fingerprint),
    );
    return found && until > Date.now() ? { id, key: found[1] } : 'ended';
  }

  private write(request: Request, session: Session | null, protocol: string): void {
    request.session = session;
    Object.defineProperty(request, 'protocol', { value: this.isHttps ? 'https' : protocol, configurable: true });
  }

  private fingerprintOf({ digest }: ApiKey): string {
    return createHmac('sha256', this.secret).update(digest).digest('base64url');
  }
}

/** @returns the ids of those sessions that a log-out has ended */
export async function endedSessions(database: Database, ids: readonly string[]): Promise<string[]> {
  return (await endedStatement.run(database, { ids })).map(({ id }) => id);
}

/**
 * Ends a session: from this commit on, every process refuses it. The row is kept for `lifeMs` ms, at least the
 * remaining life of the session's cookie. The same statement deletes expired rows.
 */
const endStatement = statement<never>('end_session').with(
  { id: 'uuid', lifeMs: 'float8' },
  ($) => `WITH expired AS (DELETE FROM ended_session WHERE expires_at < now())
   INSERT INTO ended_session (id, expires_at) VALUES (${$.id}, now() + ${$.lifeMs} * interval '1 millisecond')
   ON CONFLICT (id) DO NOTHING`,
);

const endedStatement = statement<{ id: string }>('ended_sessions').with(
  { ids: 'uuid[]' },
  ($) => `SELECT id FROM ended_session WHERE id = ANY(${$.ids})`,
);
