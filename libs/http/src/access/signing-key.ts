import { createHmac } from 'node:crypto';
import type { ApiKey } from '@app/configuration';

/**
 * Derives the signing key for one purpose. A signature for one purpose is not valid for another.
 * @param purpose such as 'session'
 * @param signingSecret the setting SIGNING_SECRET. Without it, which only happens outside production, the key is
 *   derived from the API keys. So every process with the same API keys derives the same signing key, also after a
 *   restart.
 */
export function signingKey(purpose: string, keys: readonly ApiKey[], signingSecret: string | undefined): Buffer {
  const base = signingSecret ?? Buffer.concat(keys.map(({ digest }) => digest));
  return createHmac('sha256', base).update(purpose).digest();
}
