import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { heartbeatFrame, openingFrame } from './event-frame';

export interface StreamSettings {
  readonly heartbeatMs: number;
  /** How long the reader may take none of what was written to it. */
  readonly stallMs: number;
  /**
   * After this the stream ends, and its reader comes back and goes on where it was. Who asks is checked anew, and the
   * place of a reader that is gone is free: a proxy that reads on by itself never says that it is.
   */
  readonly lifeMs: number;
}

/** Of every answer that is a stream of events, also of one that ends at once. */
export const streamHeaders = {
  'Content-Type': 'text/event-stream',
  // A proxy that compresses holds back what has come until a block is full (no-transform, RFC 9111, 5.2.2.6).
  'Cache-Control': 'no-cache, no-store, no-transform',
  // nginx passes on what comes when it comes.
  'X-Accel-Buffering': 'no',
  // No second request waits for the end of this one.
  Connection: 'close',
};

/** The system asks a peer whether it is there when nothing was sent for so long. */
const keepAliveMs = 5_000;

export interface StreamListener {
  /** The reader has taken what was written to it; there is room for more. */
  onRoom(): void;
  /** Once, whoever has ended it. */
  onClose(): void;
}

/** A stream that waits for so long gives way where there are no places left. */
const stalledMs = 5_000;

/** What waits for a reader before there is no room: about what one read of the ledger brings. */
const fullBytes = 64 * 1024;

/**
 * Server-sent events over one response. It keeps nothing for a reader who is slow: once 64 KiB wait for
 * him, there is no room until all of it has gone out, and its owner reads on from the ledger then. So a
 * stream holds the buffer and one frame, whatever happens meanwhile.
 */
export class EventStream {
  /** Whether it has ended because it has lived long enough. */
  isOld = false;
  private isFull = false;
  private fullSince = 0;
  private isClosed = false;
  private readonly timers: NodeJS.Timeout[];
  private stall: NodeJS.Timeout | undefined;

  /** @param id where a reader goes on that comes back before the first event */
  constructor(
    private readonly response: ServerResponse,
    private readonly settings: StreamSettings,
    private readonly listener: StreamListener,
    id?: string,
  ) {
    this.timers = [
      setInterval(() => this.beat(), settings.heartbeatMs),
      setTimeout(() => this.endOfLife(), spread(settings.lifeMs)),
    ];
    response.on('error', () => undefined); // 'close' follows.
    response.once('close', () => this.close());
    response.on('drain', () => this.drained());
    response.writeHead(200, streamHeaders);
    response.socket?.setKeepAlive(true, keepAliveMs);
    // Not all at once, when a process has stopped and its readers come back.
    this.write(openingFrame(Math.round(spread(1_000)), id));
    // Whoever asks for the headers only has them; not at once, since its owner does not know it yet.
    if (response.req.method === 'HEAD') queueMicrotask(() => this.end());
  }

  get hasRoom(): boolean {
    return !this.isFull && !this.isClosed;
  }

  /** Whether its reader has taken nothing of what waits for it, for longer than a slow network explains. */
  get isStalled(): boolean {
    return this.isFull && performance.now() - this.fullSince > stalledMs;
  }

  get socket(): Socket | null {
    return this.response.socket;
  }

  /** Breaks it off. What was sent and has not arrived is lost; its reader goes on from the last event that has. */
  cut(): void {
    this.close();
    this.response.destroy();
  }

  /** To be asked for `hasRoom` first. */
  send(frame: string): void {
    this.write(frame);
  }

  /** What was sent still goes out. */
  end(): void {
    if (this.isClosed) return;
    this.close();
    this.response.end();
    // A reader who takes nothing keeps nobody waiting for his connection.
    setTimeout(() => this.response.destroy(), this.settings.stallMs).unref();
  }

  private write(frame: string): void {
    if (this.isClosed || this.response.write(frame) || this.response.writableLength < fullBytes) return;
    if (!this.isFull) this.fullSince = performance.now();
    this.isFull = true;
    this.stall = setTimeout(() => this.response.destroy(), this.settings.stallMs);
  }

  private endOfLife(): void {
    this.isOld = true;
    this.end();
  }

  private drained(): void {
    clearTimeout(this.stall);
    this.isFull = false;
    if (!this.isClosed) this.listener.onRoom();
  }

  private beat(): void {
    if (this.hasRoom) this.write(heartbeatFrame);
  }

  private close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const timer of [...this.timers, this.stall]) clearTimeout(timer);
    this.listener.onClose();
  }
}

/** @returns once to twice as long, at random */
function spread(ms: number): number {
  return ms * (1 + Math.random());
}
