import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import cookieSession from 'cookie-session';
import type { Request, RequestHandler, Response } from 'express';
import type { Pool } from 'pg';
import type { ApiKey, Settings } from '@app/configuration';
import { endedSessions, endSession } from './ended-sessions';
import { beforeHead } from '../server/before-head';
import { isUuid } from '../request/is-uuid';
import { signingKey } from './signing-key';

const lifeMs = 8 * 60 * 60 * 1_000;

/** What the cookie holds: readable by whoever has it, and of use to nobody who wants the key. */
interface Session {
  /** What a log-out ends. */
  readonly id: string;
  /** The key's fingerprint. A key that is removed takes its sessions with it. */
  readonly key: string;
  /** Checked here: a browser, or a thief, may keep a cookie for longer than it was asked to. */
  readonly until: number;
}

interface BrowserSession {
  readonly id: string;
  readonly key: ApiKey;
}

type SessionSettings = Pick<Settings, 'SIGNING_SECRET' | 'PUBLIC_URL'>;

/** For browsers, which send no header with an EventSource and keep no secret of a script. */
export class Sessions {
  private readonly secret: Buffer;
  private readonly fingerprints: readonly (readonly [Buffer, ApiKey])[];
  private readonly isHttps: boolean;
  /** Requests that log out. */
  private readonly ended = new WeakSet<Request>();
  readonly middleware: RequestHandler;
  /** Knows the sessions that have ended, for every process. Set before the first request. */
  database!: Pool;

  constructor(keys: readonly ApiKey[], settings: SessionSettings) {
    this.secret = signingKey('session', keys, settings.SIGNING_SECRET);
    this.fingerprints = keys.map((key) => [Buffer.from(this.fingerprintOf(key)), key]);
    this.isHttps = settings.PUBLIC_URL?.startsWith('https:') ?? false;
    this.middleware = cookieSession({
      // With this prefix a browser takes the cookie from this host alone, over https alone (RFC 6265bis, 4.1.3.2).
      name: this.isHttps ? '__Host-session' : 'session',
      // Without PUBLIC_URL it follows the request: set where the caller came by https.
      ...(this.isHttps && { secure: true }),
      keys: [this.secret.toString('base64')],
      maxAge: lifeMs,
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
    });
  }

  /**
   * The session that the key has already, or one that begins with the answer, unless that is a refusal or ends it.
   * @returns its id
   */
  async keepOrBegin(request: Request, response: Response, key: ApiKey): Promise<string> {
    const current = await this.of(request);
    if (current && current !== 'ended' && current.key === key) return current.id;
    const id = randomUUID();
    // Looked at now: the answer may be Bull Board's own Express's, which knows nothing of our proxies.
    const { protocol } = request;
    beforeHead(response, () => {
      if (response.statusCode >= 400 || this.ended.has(request)) return;
      this.write(request, { id, key: this.fingerprintOf(key), until: Date.now() + lifeMs }, protocol);
    });
    return id;
  }

  /**
   * @returns undefined without a session, or with a forged one; 'ended' for one of ours that has expired, whose key is
   *   gone, or whose user has logged out
   */
  async of(request: Request): Promise<BrowserSession | 'ended' | undefined> {
    const session = this.read(request);
    if (session === undefined || session === 'ended') return session;
    return (await endedSessions(this.database, [session.id])).length > 0 ? 'ended' : session;
  }

  /** Refuses the session of the request from now on, in every process, and takes the cookie back. */
  async end(request: Request): Promise<void> {
    this.ended.add(request);
    const session = this.read(request);
    if (session && session !== 'ended') await endSession(this.database, session.id, lifeMs);
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
