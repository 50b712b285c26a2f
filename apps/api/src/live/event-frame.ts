/** An event without its id (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export function eventBody(event: string, data: unknown): string {
  // JSON has no line break outside of its escapes, so one `data:` line holds it.
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

export function eventFrame(id: string | number, body: string): string {
  return `id: ${id}\n${body}`;
}

/** How long a browser waits before it comes back; and where it goes on if it has to before anything has happened. */
export function openingFrame(retryMs: number, id?: string): string {
  return `retry: ${retryMs}\n${id === undefined ? '' : `id: ${id}\n`}\n`;
}

/** Instead of a stream that cannot be had now: when to come back, and why. It has no id, so nothing is skipped. */
export function unavailableFrame(retryMs: number, why: unknown): string {
  return `retry: ${retryMs}\n${eventBody('unavailable', why)}`;
}

/** A comment: readers ignore it, and proxies see that the connection lives. */
export const heartbeatFrame = ':\n\n';
