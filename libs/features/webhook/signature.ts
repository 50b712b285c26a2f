import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const prefix = 'whsec_';

/** Standard Webhooks requires 24 to 64 bytes. */
export function newSecret(): string {
  return prefix + randomBytes(32).toString('base64');
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
 * The headers of Standard Webhooks (https://www.standardwebhooks.com), with one signature per secret. While a secret is
 * rotated there are two secrets, and a receiver that knows only one of them accepts the message.
 */
export function signedHeaders({ id, at, body }: SignedMessage, secrets: readonly string[]): Record<string, string> {
  const timestamp = Math.floor(at.getTime() / 1_000);
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(prefix.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures.join(' ') };
}

/** Receivers refuse a message whose time differs more than this from their own clock. */
const toleranceSeconds = 5 * 60;

/**
 * Verifies a message, as a receiver does.
 * @param headers as they were received
 * @param body as it was received, before any parsing
 */
export function isSignedWith(
  secrets: readonly string[],
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: string,
): boolean {
  const [id, timestamp, signature] = ['id', 'timestamp', 'signature'].map((name) => headers[`webhook-${name}`]);
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signature !== 'string') return false;
  const at = new Date(Number(timestamp) * 1_000);
  if (!(Math.abs(Date.now() - at.getTime()) <= toleranceSeconds * 1_000)) return false;
  const { 'webhook-signature': ours = '' } = signedHeaders({ id, at, body }, secrets);
  const expected = ours.split(' ').map((one) => Buffer.from(one));
  return signature
    .split(' ')
    .map((one) => Buffer.from(one))
    .some((one) => expected.some((each) => each.length === one.length && timingSafeEqual(each, one)));
}
