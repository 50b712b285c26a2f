import { Injectable, type DynamicModule, type ExecutionContext } from '@nestjs/common';
import { ThrottlerGuard, ThrottlerModule, type ThrottlerLimitDetail } from '@nestjs/throttler';
import type { Request } from 'express';
import { Problem } from '../problem/problem';
import { identityOf } from './identity';
import { ruleOf } from './roles';

/**
 * Limits the requests of each tenant, so that one tenant cannot block others. Counts per process and over all routes,
 * in a sliding window of one second.
 */
@Injectable()
export class TenantThrottle extends ThrottlerGuard {
  static module(perSecond: number): DynamicModule {
    return ThrottlerModule.forRoot({
      throttlers: [{ ttl: 1_000, limit: perSecond, blockDuration: 0 }],
      setHeaders: false,
    });
  }

  protected override shouldSkip(context: ExecutionContext): Promise<boolean> {
    const rule = ruleOf(context);
    return Promise.resolve(rule === 'everyone' || rule === 'any key in production');
  }

  protected override getTracker(request: Request): Promise<string> {
    return Promise.resolve(identityOf(request).tenant);
  }

  protected override generateKey(_context: ExecutionContext, tenant: string): string {
    return tenant;
  }

  protected override throwThrottlingException(_: ExecutionContext, detail: ThrottlerLimitDetail): Promise<void> {
    const seconds = Math.max(1, detail.timeToBlockExpire);
    throw new Problem(
      429,
      'too_many_requests',
      'Too many requests',
      `Expected at most ${detail.limit} requests in a second from the tenant ${detail.tracker}; ask again in ${seconds} s.`,
      undefined,
      { 'Retry-After': String(seconds) },
    );
  }
}
