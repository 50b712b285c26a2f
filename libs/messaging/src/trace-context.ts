import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';

/** The trace and the job of the current request or delivery; log lines contain both. */
export const traceContext = new AsyncLocalStorage<{ traceId: string; jobId?: string }>();

/** https://www.w3.org/TR/trace-context/ */
const w3cTraceparent = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** @returns the trace id of a `traceparent`; a new one when there is none, or an invalid one */
export function traceIdFrom(traceparent: string | undefined): string {
  return w3cTraceparent.exec(traceparent ?? '')?.[1] ?? randomBytes(16).toString('hex');
}

/** Continues the caller's trace with a new span, or begins a trace. */
export function continueTrace(traceparent: string | undefined): { traceparent: string; traceId: string } {
  const traceId = traceIdFrom(traceparent);
  return { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`, traceId };
}
