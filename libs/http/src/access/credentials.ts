import { timingSafeEqual } from 'node:crypto';
import basicAuth from 'basic-auth';
import { digestOf, type ApiKey } from '@app/configuration';

/** A key as it came in the Authorization header. In a browser it is the password; the user name does not matter. */
export interface Credentials {
  readonly by: 'bearer' | 'basic';
  readonly key: string;
}

/** @returns undefined for a header that is neither Bearer nor Basic */
export function readCredentials(header: string): Credentials | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(header)?.[1];
  if (bearer !== undefined) return { by: 'bearer', key: bearer };
  const basic = basicAuth.parse(header);
  return basic && { by: 'basic', key: basic.pass };
}

/** Takes as long for a key that is nearly right, or early in the list, as for any other. */
export function findKey(keys: readonly ApiKey[], key: string): ApiKey | undefined {
  const digest = digestOf(key);
  // Every key is compared, found or not.
  return keys.reduce<ApiKey | undefined>(
    (found, known) => (timingSafeEqual(known.digest, digest) ? known : found),
    undefined,
  );
}
