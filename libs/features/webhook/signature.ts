import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';

/** Standard Webhooks (https://www.standardwebhooks.com) requires 24 to 64 bytes. */
export function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

export interface SignedMessage {
  readonly id: string;
  /**
   * The time of this attempt. Receivers refuse a message that is some minutes old, so that an attacker cannot replay
   * it.
   */
  readonly at: Date;
  readonly body: string;
}

/**
 * The headers of Standard Webhooks, with one signature per secret. While a secret is rotated there are two secrets, and a
 * receiver that knows only one of them accepts the message.
 */
export function signedHeaders({ id, at, body }: SignedMessage, secrets: readonly string[]): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
  };
}

/**
 * Verifies a message, as a receiver does. Its time may differ by five minutes from the clock of this process.
 * @param headers as they were received
 * @param body JSON as it was received, before any parsing
 */
export function isSignedWith(
  secrets: readonly string[],
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: string,
): boolean {
  return secrets.some((secret) => {
    try {
      new Webhook(secret).verify(body, headers as Record<string, string>);
      return true;
    } catch {
      return false;
    }
  });
}
