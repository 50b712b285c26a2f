import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { continueTrace, traceContext } from '@app/messaging';
import { identityOf, type Identity } from '../access/identity';
import { Problem } from '../problem/problem';

/** The caller of a request, with the trace, the route and the idempotency key of the request. */
export interface Caller extends Identity {
  readonly traceparent: string;
  /** The route without its parameters. An idempotency key is valid for one route. */
  readonly route: string;
  readonly idempotencyKey: string | undefined;
}

const callerTraceparent = new WeakMap<Request, string>();

/** Express middleware that continues the caller's trace, or begins one, for all work of the request. */
export function traceRequests(request: Request, _response: Response, next: NextFunction): void {
  const { traceparent, traceId } = continueTrace(request.headers['traceparent']?.toString());
  callerTraceparent.set(request, traceparent);
  traceContext.run({ traceId }, next);
}

export const CallerOf = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const request = context.switchToHttp().getRequest<Request>();
  return {
    ...identityOf(request),
    traceparent: callerTraceparent.get(request)!,
    route: `${request.method} ${(request.route as { path: string }).path}`,
    idempotencyKey: idempotencyKeyOf(request),
  };
});

/** Reads the Idempotency-Key (draft-ietf-httpapi-idempotency-key-header), with a maximum length. @throws Problem 400 */
function idempotencyKeyOf(request: Request): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  const message = 'expected 1 to 255 visible ASCII characters, such as a UUID';
  throw new Problem(400, 'invalid_idempotency_key', 'The Idempotency-Key cannot be used', message, [
    { path: 'Idempotency-Key', message },
  ]);
}
