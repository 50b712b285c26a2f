import type { Request } from 'express';
import { roles, type Role } from '@app/configuration';
import { Problem } from '../problem/problem';

/** Who asks, as a key or a session says. */
export interface Identity {
  readonly tenant: string;
  readonly roles: readonly Role[];
  /** `nothing`: there are no keys, which is possible outside production only. */
  readonly by: 'bearer' | 'basic' | 'session' | 'nothing';
  /** The id of the browser's session, also of one that begins with the answer. */
  readonly session?: string;
}

/** Everybody, where there are no keys. */
export const everybody: Identity = { tenant: 'demo', roles, by: 'nothing' };

/** What each role may do beside what is its own. */
const alsoMay: Record<Role, readonly Role[]> = {
  user: [],
  viewer: [],
  operator: ['viewer'],
  admin: ['user', 'viewer', 'operator'],
};

const identities = new WeakMap<Request, Identity | Problem>();

/** @param identity or why there is none, which only matters on a route that asks */
export function rememberIdentity(request: Request, identity: Identity | Problem): void {
  identities.set(request, identity);
}

/** @throws Problem 401 or 429 when nobody is known */
export function identityOf(request: Request): Identity {
  const identity = identities.get(request) ?? new Error('`identify` has not seen this request.');
  if (identity instanceof Error) throw identity;
  return identity;
}

/** @throws Problem 403 unless the caller has one of the roles, or one that may do what they may */
export function demandRole(identity: Identity, anyOf: readonly Role[]): void {
  if (mayBe(identity, anyOf)) return;
  throw new Problem(
    403,
    'forbidden',
    'This key may not do that',
    `Expected a key with the role ${anyOf.join(' or ')}, got one with ${identity.roles.join(', ')}. docs/access.md says which role may what.`,
  );
}

/** Whether the caller has one of the roles, or one that may do what they may. */
export function mayBe(identity: Identity, anyOf: readonly Role[]): boolean {
  const held = identity.roles.flatMap((role) => [role, ...alsoMay[role]]);
  return anyOf.some((role) => held.includes(role));
}

/** For the record of who has done what. */
export function nameOf({ tenant, roles }: Identity): string {
  return `${tenant} (${roles.join(', ')})`;
}
