import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { Problem } from '../problem/problem';
import { demandRole, identityOf } from './identity';
import { RequestRate } from './request-rate';
import { AccessRule, type Rule } from './roles';

/**
 * Checks, for every Nest route, the access rule that its decorator declares. Then limits the requests of each tenant, so
 * that one tenant cannot block others. Counts per process and over all routes, in a sliding window of one second.
 */
export class AccessGuard implements CanActivate {
  private readonly reflector = new Reflector();
  private readonly rate: RequestRate;

  constructor(private readonly perSecond: number) {
    this.rate = new RequestRate(perSecond);
  }

  canActivate(context: ExecutionContext): boolean {
    // The rule of a route without a decorator is `user`: a forgotten decorator opens nothing.
    const declared = [context.getHandler(), context.getClass()];
    const rule = this.reflector.getAllAndOverride<Rule | undefined>(AccessRule.KEY, declared) ?? ['user'];
    if (rule === 'everyone') return true;
    const identity = identityOf(context.switchToHttp().getRequest<Request>());
    if (rule !== 'any key') demandRole(identity, rule);
    // Only requests with access are counted.
    const { tenant } = identity;
    if (this.rate.admits(tenant)) return true;
    const detail = `Expected at most ${this.perSecond} requests in a second from the tenant ${tenant}; ask again in 1 s.`;
    const headers = { 'Retry-After': '1' };
    throw new Problem(429, 'too_many_requests', 'Too many requests', detail, undefined, headers);
  }
}
