import type { Request, RequestHandler } from 'express';
import { roles, type Role } from '@app/configuration';
import { Problem } from '../problem/problem';

/** The caller of a request, from its key or its session. */
export interface Identity {
  readonly tenant: string;
  readonly roles: readonly Role[];
  /** How the caller is known. `nothing`: no keys are set, which is possible only outside production. */
  readonly by: 'bearer' | 'basic' | 'session' | 'nothing';
  /** The id of the browser's session, also of a session that begins with this answer. */
  readonly session?: string;
}

/** The identity of every caller if no keys are set. */
export const everybody: Identity = { tenant: 'demo', roles, by: 'nothing' };

/** The roles that each role includes, beside itself. */
const alsoMay: Record<Role, readonly Role[]> = {
  user: [],
  viewer: [],
  operator: ['viewer'],
  admin: ['user', 'viewer', 'operator'],
};

/** The identity of each request, or the problem that `identityOf` throws on a route that needs an identity. */
export const identities = new WeakMap<Request, Identity | Problem>();

/**
 * Returns the identity of the request.
 * @throws Problem 401 or 429 if the caller is not known
 */
export function identityOf(request: Request): Identity {
  const identity = identities.get(request) ?? new Error('`identify` has not seen this request.');
  if (identity instanceof Error) throw identity;
  return identity;
}

/**
 * Express middleware for pages that are middleware themselves, since no Nest guard runs for them.
 * @throws Problem 401 or 429 if the caller is not known
 */
export const demandKey: RequestHandler = (request, _response, next) => {
  identityOf(request);
  next();
};

/** @throws Problem 403 unless the caller has one of the roles, or a role that includes one of them */
export function demandRole(identity: Identity, anyOf: readonly Role[]): void {
  if (mayBe(identity, anyOf)) return;
  const detail = `Expected a key with the role ${anyOf.join(' or ')}, got one with ${identity.roles.join(', ')}. docs/access.md lists what each role may do.`;
  throw new Problem(403, 'forbidden', 'This key may not do that', detail);
}

/** Whether the caller has one of the roles, or a role that includes one of them. */
export function mayBe(identity: Identity, anyOf: readonly Role[]): boolean {
  const held = identity.roles.flatMap((role) => [role, ...alsoMay[role]]);
  return anyOf.some((role) => held.includes(role));
}

/** Returns the tenant and the roles as text, for records of changes. */
export function nameOf({ tenant, roles }: Pick<Identity, 'tenant' | 'roles'>): string {
  return `${tenant} (${roles.join(', ')})`;
}
