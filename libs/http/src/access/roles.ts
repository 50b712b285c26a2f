import { applyDecorators } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiSecurity } from '@nestjs/swagger';
import type { Role } from '@app/configuration';
import { ProblemResponse } from '../jobs/job-route';

/** Which callers may use a route: everyone, callers with any key, or callers with one of the roles. */
export type Rule = 'everyone' | 'any key' | readonly Role[];

export const AccessRule = Reflector.createDecorator<Rule>();

type RouteDecorator = ClassDecorator & MethodDecorator;

/** Allows a route, or all routes of a controller, for keys with one of these roles. An admin may use every route. */
export function Roles(...anyOf: [Role, ...Role[]]): RouteDecorator {
  return applyDecorators(
    AccessRule(anyOf),
    documented,
    ProblemResponse(
      403,
      `The key does not have the role ${anyOf.join(' or ')}, or the request comes from another site.`,
    ),
  );
}

/** Allows a route for every key, with any role. */
export function AnyKey(): RouteDecorator {
  return applyDecorators(AccessRule('any key'), documented);
}

/** Allows a route for everyone, without a rate limit. The whole network can read its answers. */
export function Open(): RouteDecorator {
  return AccessRule('everyone');
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
