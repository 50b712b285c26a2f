/** Encodes an event without its id (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export function eventBody(event: string, data: unknown): string {
  // JSON escapes all line breaks, so one `data:` line is enough.
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

export function eventFrame(id: string | number, body: string): string {
  return `id: ${id}\n${body}`;
}

/**
 * Encodes the first frame of a stream.
 * @param retryMs how long a browser waits before it reconnects, in ms
 * @param id the position from which a reader continues if it reconnects before the first event
 */
export function openingFrame(retryMs: number, id?: string): string {
  return `retry: ${retryMs}\n${id === undefined ? '' : `id: ${id}\n`}\n`;
}

/**
 * Encodes the only frame of a stream that is not available now. It has no id, so a reader that reconnects skips no
 * event.
 * @param retryMs how long a browser waits before it reconnects, in ms
 * @param why the problem document
 */
export function unavailableFrame(retryMs: number, why: unknown): string {
  return `retry: ${retryMs}\n${eventBody('unavailable', why)}`;
}

/** A comment. Readers ignore it, and proxies see that the connection is alive. */
export const heartbeatFrame = ':\n\n';
