import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';

/** What belongs to the request or job that is being worked on; log lines carry it. */
export const traceContext = new AsyncLocalStorage<{ traceId: string; jobId?: string }>();

const w3cTraceparent = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The trace id of a `traceparent` (https://www.w3.org/TR/trace-context/); undefined when it is not one. */
function traceIdOf(traceparent: string | undefined): string | undefined {
  return traceparent === undefined ? undefined : w3cTraceparent.exec(traceparent)?.[1];
}

/** The id of a trace that goes on, or of one that begins here. */
export function traceIdFrom(traceparent: string | undefined): string {
  return traceIdOf(traceparent) ?? randomBytes(16).toString('hex');
}

/** Continues the caller's trace, or begins one. */
export function continueTrace(traceparent: string | undefined): { traceparent: string; traceId: string } {
  const traceId = traceIdFrom(traceparent);
  return { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`, traceId };
}
