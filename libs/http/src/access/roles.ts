import { applyDecorators, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { ExecutionContext } from '@nestjs/common';
import { ApiSecurity } from '@nestjs/swagger';
import type { Role } from '@app/configuration';
import { ProblemResponse } from '../jobs/job-route';

/** Who may use a route: everyone, whoever has a key, the same in production only, or whoever has one of the roles. */
type Rule = 'everyone' | 'any key' | 'any key in production' | readonly Role[];

const ruleKey = 'access';

/** A route that says nothing is for users: forgetting to say it opens nothing. */
const unsaid: Rule = ['user'];

type RouteDecorator = ClassDecorator & MethodDecorator;

/** This route, or all of this controller, is for keys with one of these roles; an admin's may do everything. */
export function Roles(...anyOf: [Role, ...Role[]]): RouteDecorator {
  return applyDecorators(
    SetMetadata(ruleKey, anyOf satisfies Rule),
    documented,
    ProblemResponse(403, `The key has not the role ${anyOf.join(' or ')}, or another site asks.`),
  );
}

/** For whoever has a key, whatever its roles. */
export function AnyKey(): RouteDecorator {
  return applyDecorators(SetMetadata(ruleKey, 'any key' satisfies Rule), documented);
}

export function AnyKeyInProduction(): RouteDecorator {
  return SetMetadata(ruleKey, 'any key in production' satisfies Rule);
}

/** For everyone, unthrottled. What such a route shows, the whole network may see. */
export function Open(): RouteDecorator {
  return SetMetadata(ruleKey, 'everyone' satisfies Rule);
}

const documented = applyDecorators(
  ApiSecurity('bearer'),
  ApiSecurity('basic'),
  ProblemResponse(401, 'No key, or one that is not known.'),
  ProblemResponse(
    429,
    'Too many requests of this tenant, or too many wrong keys; `Retry-After` says how long to wait.',
  ),
);

const reflector = new Reflector();

export function ruleOf(context: ExecutionContext): Rule {
  return reflector.getAllAndOverride<Rule | undefined>(ruleKey, [context.getHandler(), context.getClass()]) ?? unsaid;
}
