import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface StreamSettings {
  readonly heartbeatMs: number;
  /** How long a reader may accept none of the written data, in ms. */
  readonly stallMs: number;
  /**
   * The minimum life of a stream, in ms; the maximum is twice as long. Then the stream ends, and the reader reconnects
   * and continues at its position. So the access is checked again, and the stream of a lost reader becomes free: a
   * proxy that buffers may read on after its client has disconnected.
   */
  readonly lifeMs: number;
}

/** The headers of every event stream, also of a stream that ends at once. */
export const streamHeaders = {
  'Content-Type': 'text/event-stream',
  // no-transform (RFC 9111, 5.2.2.6): a proxy that compresses would delay events until a block is full.
  'Cache-Control': 'no-cache, no-store, no-transform',
  // Makes nginx forward each event at once.
  'X-Accel-Buffering': 'no',
  // Without it, a second request on this connection would wait for the end of the stream.
  Connection: 'close',
};

/** After this idle time, in ms, the operating system probes the peer (TCP keep-alive). */
const keepAliveMs = 5_000;

export interface StreamListener {
  /** The reader has received the buffered data, so there is room for more. */
  onRoom(): void;
  /** Called once when the stream has ended, for any reason. */
  onClose(): void;
}

/** A stream that has been full for this time, in ms, may be cut to make room for another. */
const stalledMs = 5_000;

/** The buffered bytes at which a stream is full: about the result of one read of the ledger. */
const fullBytes = 64 * 1024;

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

/** A comment. Readers ignore it, and proxies see that the connection is alive. */
const heartbeatFrame = ':\n\n';

/**
 * Sends server-sent events over one response. It does not queue events for a slow reader. At 64 KiB of buffered data
 * the stream has no room until all of it is sent. Then its owner reads the next events from the ledger. So a stream
 * never holds more than the buffer and one frame.
 */
export class EventStream {
  /** Whether the stream ended because its life was over. */
  isOld = false;
  private isFull = false;
  private fullSince = 0;
  private isClosed = false;
  private readonly timers: NodeJS.Timeout[];
  private stall: NodeJS.Timeout | undefined;

  /** @param id the position from which a reader continues if it reconnects before the first event */
  constructor(
    private readonly response: ServerResponse,
    private readonly settings: StreamSettings,
    private readonly listener: StreamListener,
    id?: string,
  ) {
    this.timers = [
      setInterval(() => this.hasRoom && this.send(heartbeatFrame), settings.heartbeatMs),
      setTimeout(() => {
        this.isOld = true;
        this.end();
      }, spread(settings.lifeMs)),
    ];
    response.on('error', () => undefined); // 'close' follows.
    response.once('close', () => this.close());
    response.on('drain', () => this.drained());
    response.writeHead(200, streamHeaders);
    response.socket?.setKeepAlive(true, keepAliveMs);
    // A random time, so that the readers of a stopped process do not all reconnect at once.
    this.send(openingFrame(Math.round(spread(1_000)), id));
    // HEAD gets only the headers. The end is deferred, because the owner does not have the stream yet.
    if (response.req.method === 'HEAD') queueMicrotask(() => this.end());
  }

  get hasRoom(): boolean {
    return !this.isFull && !this.isClosed;
  }

  /** Whether the stream has been full for longer than a slow network explains. */
  get isStalled(): boolean {
    return this.isFull && performance.now() - this.fullSince > stalledMs;
  }

  get socket(): Socket | null {
    return this.response.socket;
  }

  /**
   * Closes the connection at once. Data in flight is lost; the reader continues after the last event that it received.
   */
  cut(): void {
    this.close();
    this.response.destroy();
  }

  /** Sends a frame. The caller checks `hasRoom` first. */
  send(frame: string): void {
    if (this.isClosed || this.response.write(frame) || this.response.writableLength < fullBytes) return;
    if (!this.isFull) this.fullSince = performance.now();
    this.isFull = true;
    this.stall = setTimeout(() => this.response.destroy(), this.settings.stallMs);
  }

  /** Ends the stream after the buffered data is sent. */
  end(): void {
    if (this.isClosed) return;
    this.close();
    this.response.end();
    // A reader that accepts no data must not keep the connection open.
    setTimeout(() => this.response.destroy(), this.settings.stallMs).unref();
  }

  private drained(): void {
    clearTimeout(this.stall);
    this.isFull = false;
    if (!this.isClosed) this.listener.onRoom();
  }

  private close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const timer of [...this.timers, this.stall]) clearTimeout(timer);
    this.listener.onClose();
  }
}

/** @returns a random time between `ms` and twice `ms` */
function spread(ms: number): number {
  return ms * (1 + Math.random());
}
