import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ThrottlerStorageService } from '@nestjs/throttler';
import type { Request } from 'express';
import { Problem } from '../problem/problem';
import { demandRole, identityOf } from './identity';
import { AccessRule, type Rule } from './roles';

/**
 * Checks, for every Nest route, the access rule that its decorator declares. Then limits the requests of each tenant, so
 * that one tenant cannot block others. Counts per process and over all routes, in a sliding window of one second.
 */
export class AccessGuard implements CanActivate {
  private readonly reflector = new Reflector();
  private readonly requests = new ThrottlerStorageService();

  constructor(private readonly perSecond: number) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    // The rule of a route without a decorator is `user`: a forgotten decorator opens nothing.
    const declared = [context.getHandler(), context.getClass()];
    const rule = this.reflector.getAllAndOverride<Rule | undefined>(AccessRule.KEY, declared) ?? ['user'];
    if (rule === 'everyone') return true;
    const identity = identityOf(context.switchToHttp().getRequest<Request>());
    if (rule !== 'any key') demandRole(identity, rule);
    // Only requests with access are counted.
    const { tenant } = identity;
    const { isBlocked, timeToBlockExpire } = await this.requests.increment(
      tenant,
      1_000,
      this.perSecond,
      0,
      'requests',
    );
    if (!isBlocked) return true;
    const seconds = Math.max(1, timeToBlockExpire);
    const detail = `Expected at most ${this.perSecond} requests in a second from the tenant ${tenant}; ask again in ${seconds} s.`;
    const headers = { 'Retry-After': String(seconds) };
    throw new Problem(429, 'too_many_requests', 'Too many requests', detail, undefined, headers);
  }
}
