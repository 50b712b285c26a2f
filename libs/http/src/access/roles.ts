import { applyDecorators, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { ExecutionContext } from '@nestjs/common';
import { ApiSecurity } from '@nestjs/swagger';
import type { Role } from '@app/configuration';
import { ProblemResponse } from '../jobs/job-route';

/**
 * Which callers may use a route: everyone, callers with any key, callers with any key in production and everyone
 * elsewhere, or callers with one of the roles.
 */
type Rule = 'everyone' | 'any key' | 'any key in production' | readonly Role[];

const ruleKey = 'access';

/** The rule of a route without a decorator. A forgotten decorator opens nothing. */
const unsaid: Rule = ['user'];

type RouteDecorator = ClassDecorator & MethodDecorator;

/** Allows a route, or all routes of a controller, for keys with one of these roles. An admin may use every route. */
export function Roles(...anyOf: [Role, ...Role[]]): RouteDecorator {
  return applyDecorators(
    SetMetadata(ruleKey, anyOf satisfies Rule),
    documented,
    ProblemResponse(
      403,
      `The key does not have the role ${anyOf.join(' or ')}, or the request comes from another site.`,
    ),
  );
}

/** Allows a route for every key, with any role. */
export function AnyKey(): RouteDecorator {
  return applyDecorators(SetMetadata(ruleKey, 'any key' satisfies Rule), documented);
}

export function AnyKeyInProduction(): RouteDecorator {
  return SetMetadata(ruleKey, 'any key in production' satisfies Rule);
}

/** Allows a route for everyone, without a rate limit. The whole network can read its answers. */
export function Open(): RouteDecorator {
  return SetMetadata(ruleKey, 'everyone' satisfies Rule);
}

const documented = applyDecorators(
  ApiSecurity('bearer'),
  ApiSecurity('basic'),
  ProblemResponse(401, 'No key, or an unknown key.'),
  ProblemResponse(
    429,
    'Too many requests of this tenant, or too many wrong keys; `Retry-After` says how long to wait.',
  ),
);

const reflector = new Reflector();

export function ruleOf(context: ExecutionContext): Rule {
  return reflector.getAllAndOverride<Rule | undefined>(ruleKey, [context.getHandler(), context.getClass()]) ?? unsaid;
}
