import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { demandRole, identityOf } from './identity';
import { ruleOf } from './roles';

/** Checks, for every Nest route, the access rule that its decorator declares. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(private readonly isProduction: boolean) {}

  canActivate(context: ExecutionContext): boolean {
    const rule = ruleOf(context);
    if (rule === 'everyone' || (rule === 'any key in production' && !this.isProduction)) return true;
    const identity = identityOf(context.switchToHttp().getRequest<Request>());
    if (typeof rule !== 'string') demandRole(identity, rule);
    return true;
  }
}
