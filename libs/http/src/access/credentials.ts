import { timingSafeEqual } from 'node:crypto';
import basicAuth from 'basic-auth';
import { digestOf, type ApiKey } from '@app/configuration';

/**
 * Reads the key from the Authorization header. A browser sends the key as the password; the user name is ignored.
 * @returns undefined for a header that is neither Bearer nor Basic
 */
export function readCredentials(header: string): { by: 'bearer' | 'basic'; key: string } | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(header)?.[1];
  if (bearer !== undefined) return { by: 'bearer', key: bearer };
  const basic = basicAuth.parse(header);
  return basic && { by: 'basic', key: basic.pass };
}

/**
 * Finds a key in constant time: neither a nearly right key nor a key early in the list is faster or slower.
 * @returns undefined for an unknown key
 */
export function findKey(keys: readonly ApiKey[], key: string): ApiKey | undefined {
  const digest = digestOf(key);
  // The loop compares every key, even after a match.
  return keys.reduce<ApiKey | undefined>(
    (found, known) => (timingSafeEqual(known.digest, digest) ? known : found),
    undefined,
  );
}
