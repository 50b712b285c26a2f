import { z } from 'zod';
import { reasonOf } from '@app/messaging';
import { SmsPostponed, SmsProvider, SmsRefused, type Sms } from './sms-provider';

const answer = z.looseObject({ id: z.string().min(1).max(200) });

/**
 * Client errors that may pass (RFC 9110, 15.5): too early, too many requests, or concerning our credentials and our
 * address rather than this SMS.
 */
const mayPass = new Set([401, 403, 404, 407, 408, 409, 425, 429]);

/** The longest wait, whatever the provider asks for. */
const longestWaitSeconds = 3_600;

/**
 * Sends `POST {to, text}` with `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): however often a job is
 * tried, the provider sends one SMS. A success answers `{id}`.
 */
export class HttpSmsProvider extends SmsProvider {
  constructor(
    private readonly url: string,
    private readonly token: string | undefined,
  ) {
    super();
  }

  async send({ to, text }: Sms, key: string, signal: AbortSignal): Promise<string> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': key,
        ...(this.token && { authorization: `Bearer ${this.token}` }),
      },
      body: JSON.stringify({ to, text }),
      signal,
    }).catch((error: unknown) => {
      signal.throwIfAborted();
      // The message of fetch is only "fetch failed"; its cause holds the reason.
      throw new Error(`The SMS provider does not answer (${reasonOf((error as Error).cause ?? error)}).`, {
        cause: error,
      });
    });
    if (response.ok) return answer.parse(await response.json()).id;

    // The status is enough: a body that breaks off changes nothing.
    await response.body?.cancel().catch(() => undefined);
    const retryAfter = Number(response.headers.get('retry-after'));
    if (retryAfter > 0) throw new SmsPostponed(Math.min(Math.ceil(retryAfter), longestWaitSeconds));
    const fault = `The SMS provider answered ${response.status} ${response.statusText}`.trimEnd();
    if (response.status >= 400 && response.status < 500 && !mayPass.has(response.status)) throw new SmsRefused(fault);
    throw new Error(fault);
  }
}
