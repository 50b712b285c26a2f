import { createHmac } from 'node:crypto';
import type { ApiKey } from '@app/configuration';

/**
 * What is signed for one purpose is worth nothing for another.
 * Without a secret, outside production only: one that every process with the same keys comes to, even restarted.
 */
export function signingKey(purpose: string, keys: readonly ApiKey[], signingSecret: string | undefined): Buffer {
  const base = signingSecret ?? Buffer.concat(keys.map(({ digest }) => digest));
  return createHmac('sha256', base).update(purpose).digest();
}
