import { createHash } from 'node:crypto';
import { z } from 'zod';

/** `user`: for the jobs of one tenant. The other roles are for operators, over all tenants. */
export const roles = ['user', 'viewer', 'operator', 'admin'] as const;

export type Role = (typeof roles)[number];

/** A key as the process keeps it: only a digest, so that no code can print the key. */
export interface ApiKey {
  readonly digest: Buffer;
  readonly tenant: string;
  readonly roles: readonly Role[];
}

const keyPattern = /^[\x21-\x7e]{16,256}$/;
const tenantPattern = /^[a-z0-9-]+$/;

/** @returns the digest by which a key is recognised */
export function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/** `key:tenant:role[+role],…`. A fault names an entry by its position, because the entry holds a secret. */
export const apiKeys = z.string().transform((text, context): ApiKey[] => {
  const placeOf = new Map<string, number>();
  return text.split(',').flatMap((entry, index) => {
    const place = index + 1;
    const fault = (message: string): [] => {
      context.addIssue({ code: 'custom', message: `entry ${place}: ${message}` });
      return [];
    };
    const [key, tenant, roleNames, ...rest] = entry.trim().split(':');
    if (key === undefined || tenant === undefined || roleNames === undefined || rest.length > 0) {
      return fault('expected key:tenant:role[+role]');
    }
    const faults = [
      !keyPattern.test(key) && 'expected a key of 16 to 256 visible ASCII characters, without colon and comma',
      !tenantPattern.test(tenant) && 'expected a tenant of a to z, 0 to 9 and -',
      !roleNames.split('+').every(isRole) && `expected roles of ${roles.join(', ')}, joined by +`,
    ].filter((message) => message !== false);
    const digest = digestOf(key);
    const twin = placeOf.get(digest.toString('hex'));
    if (twin !== undefined) faults.push(`expected a key of its own, not that of entry ${twin}`);
    placeOf.set(digest.toString('hex'), twin ?? place);
    if (faults.length > 0) return faults.flatMap(fault);
    return [{ digest, tenant, roles: [...new Set(roleNames.split('+').filter(isRole))] }];
  });
});

function isRole(name: string): name is Role {
  return (roles as readonly string[]).includes(name);
}
