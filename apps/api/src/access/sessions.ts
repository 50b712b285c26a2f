import { createHmac, timingSafeEqual } from 'node:crypto';
import cookieSession from 'cookie-session';
import type { Request, RequestHandler } from 'express';
import type { ApiKey } from '@app/configuration';
import { signingKey } from './signing-key';

const lifeMs = 8 * 60 * 60 * 1_000;

/** What the cookie holds: readable by whoever has it, and of use to nobody who wants the key. */
interface Session {
  /** The key's fingerprint. A key that is removed takes its sessions with it. */
  readonly key: string;
  /** Checked here: a browser, or a thief, may keep a cookie for longer than it was asked to. */
  readonly until: number;
}

/** For browsers, which send no header with an EventSource and keep no secret of a script. */
export class Sessions {
  private readonly secret: Buffer;
  private readonly fingerprints: readonly (readonly [Buffer, ApiKey])[];
  readonly middleware: RequestHandler;

  constructor(keys: readonly ApiKey[], signingSecret: string | undefined) {
    this.secret = signingKey('session', keys, signingSecret);
    this.fingerprints = keys.map((key) => [Buffer.from(this.fingerprintOf(key)), key]);
    // `secure` follows the request: set where the caller came by https.
    this.middleware = cookieSession({
      name: 'session',
      keys: [this.secret.toString('base64')],
      maxAge: lifeMs,
      httpOnly: true,
      sameSite: 'lax',
    });
  }

  begin(request: Request, key: ApiKey): void {
    if (this.keyOf(request) === key) return;
    request.session = { key: this.fingerprintOf(key), until: Date.now() + lifeMs };
    // The cookie is written with the answer, maybe by Bull Board's own Express, which knows nothing of our proxies.
    Object.defineProperty(request, 'protocol', { value: request.protocol });
  }

  /** @returns 'ended' for a cookie that was ours: expired, or its key is gone; undefined without one, or with a forged one */
  keyOf(request: Request): ApiKey | 'ended' | undefined {
    const session = request.session as (Partial<Session> & { isNew?: boolean }) | null | undefined;
    if (!session || session.isNew) return undefined;
    if (typeof session.key !== 'string' || typeof session.until !== 'number') return 'ended';
    const fingerprint = Buffer.from(session.key);
    const found = this.fingerprints.find(
      ([known]) => known.length === fingerprint.length && timingSafeEqual(known, fingerprint),
    );
    return found && session.until > Date.now() ? found[1] : 'ended';
  }

  private fingerprintOf({ digest }: ApiKey): string {
    return createHmac('sha256', this.secret).update(digest).digest('base64url');
  }
}
