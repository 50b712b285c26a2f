import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { activeTraceparent } from './tracing';

/** The trace, the job and the attempt of the current request or delivery; log lines contain them. */
export const traceContext = new AsyncLocalStorage<{ traceId: string; jobId?: string; attempt?: number }>();

/** https://www.w3.org/TR/trace-context/ */
const w3cTraceparent = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** @returns the trace id of a `traceparent`; a new one when there is none, or an invalid one */
export function traceIdFrom(traceparent: string | undefined): string {
  return w3cTraceparent.exec(traceparent ?? '')?.[1] ?? randomHex();
}

/**
 * Continues the caller's trace with a new span, or begins a trace. When the process records spans, the span is the one of
 * the request.
 */
export function continueTrace(traceparent: string | undefined): { traceparent: string; traceId: string } {
  const active = activeTraceparent();
  const traceId = traceIdFrom(active ?? traceparent);
  return { traceparent: active ?? `00-${traceId}-${randomHex().slice(-16)}-01`, traceId };
}

/** 32 hexadecimal digits, 122 bits of them random. Node keeps random bytes for UUIDs ready, and so for every request. */
const randomHex = (): string => randomUUID().replaceAll('-', '');
