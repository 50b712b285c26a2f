import { AsyncResource } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Response } from 'express';
import type { Pool } from 'pg';
import { endedSessions, Problem } from '@app/http';
import { EventStream, type StreamListener, type StreamSettings } from './event-stream';
import { unacknowledged } from './unacknowledged';

export interface StreamLimits {
  readonly perProcess: number;
  readonly perTenant: number;
}

/** The reader of a stream. */
export interface Reader {
  readonly tenant: string;
  /** The id of the browser's session, if the request has one. */
  readonly session: string | undefined;
}

/** The minimum time between two searches for lost readers, in ms, for any number of waiting readers. */
const lookEveryMs = 1_000;

/** The time between two searches for sessions that have ended, in ms. */
const askEveryMs = 1_000;

/** How long, in ms, a stream is reserved for a reader whose stream ended because its life was over. */
const reservedMs = 5_000;

/**
 * All open streams of this process. Enforces their limits, cuts lost readers, ends the streams of sessions that have
 * ended, and all streams on shutdown.
 */
export class Streams {
  private readonly open = new Map<EventStream, Reader>();
  /** By tenant: the number of its streams, including those reserved for readers that will reconnect. */
  private readonly counts = new Map<string, number>();
  /** The reserved streams, and when each reservation ends. */
  private readonly reserved = new Set<{ readonly tenant: string; readonly until: number }>();
  private isDraining = false;
  private isAsking = false;
  private look: Promise<void> | undefined;

  constructor(
    private readonly limits: StreamLimits,
    private readonly settings: StreamSettings,
    private readonly pool: Pool,
  ) {}

  /**
   * If no stream is free, cuts the streams of lost readers, which accept or acknowledge no more data. A reader that
   * takes all of its data within five seconds keeps its stream.
   */
  async makeRoom(tenant: string): Promise<void> {
    if (this.refusal(tenant)) await (this.look ??= this.cutSilent());
  }

  /**
   * Opens a stream.
   * @param isBack whether the reader reconnects
   * @param id the position from which a reader continues if it reconnects before the first event
   * @throws Problem 429 or 503, before any data is sent
   */
  begin(reader: Reader, response: Response, listener: StreamListener, isBack: boolean, id?: string): EventStream {
    const { tenant } = reader;
    if (isBack) this.freeReserved(tenant);
    const refusal = this.refusal(tenant);
    if (refusal) throw refusal;
    const onClose = (): void => {
      this.open.delete(stream);
      // The stream stays reserved, so that a new reader does not get the stream of a reader that only has to reconnect.
      if (stream.isOld) this.reserved.add({ tenant, until: performance.now() + reservedMs });
      else this.add(tenant, -1);
      listener.onClose();
    };
    const stream = new EventStream(response, this.settings, { ...listener, onClose }, id);
    this.open.set(stream, reader);
    this.add(tenant, 1);
    if (!this.isAsking) void this.endLoggedOut();
    return stream;
  }

  /** The number of open streams. */
  get size(): number {
    return this.open.size;
  }

  /** Ends all streams and refuses new ones. Readers reconnect by themselves, to another process. */
  drain(): void {
    this.isDraining = true;
    for (const stream of this.open.keys()) stream.end();
  }

  private async cutSilent(): Promise<void> {
    const streams = [...this.open.keys()];
    const sockets = streams.flatMap(({ socket }) => socket ?? []);
    const silent = await unacknowledged(sockets);
    for (const stream of streams) if (stream.isStalled || (stream.socket && silent.has(stream.socket))) stream.cut();
    setTimeout(() => (this.look = undefined), lookEveryMs).unref();
  }

  private add(tenant: string, change: 1 | -1): void {
    const count = (this.counts.get(tenant) ?? 0) + change;
    if (count === 0) this.counts.delete(tenant);
    else this.counts.set(tenant, count);
  }

  /**
   * Frees the reserved streams whose time is over.
   * @param back the tenant of a reader that has reconnected: one reserved stream of this tenant becomes free, too
   */
  private freeReserved(back?: string): void {
    for (const reservation of this.reserved) {
      const isOver = reservation.until <= performance.now();
      if (!isOver && reservation.tenant !== back) continue;
      if (!isOver) back = undefined;
      this.reserved.delete(reservation);
      this.add(reservation.tenant, -1);
    }
  }

  /** Asks while a stream is open, because an open stream sends no request that could be refused. */
  private readonly endLoggedOut = AsyncResource.bind(async (): Promise<void> => {
    this.isAsking = true;
    while (this.open.size > 0) {
      await delay(askEveryMs, undefined, { ref: false });
      const sessions = [...new Set([...this.open.values()].flatMap(({ session }) => session ?? []))];
      // While the database is down, `LiveFeed` reports it. The next query is one second later.
      const ended = sessions.length > 0 ? await endedSessions(this.pool, sessions).catch(() => []) : [];
      // Their readers reconnect and are refused.
      for (const [stream, { session }] of this.open) if (ended.includes(session ?? '')) stream.end();
    }
    this.isAsking = false;
  });

  private refusal(tenant: string): Problem | undefined {
    this.freeReserved();
    const { perProcess, perTenant } = this.limits;
    if (this.isDraining) return new Problem(503, 'draining', 'This process is stopping', 'Ask another one.');
    if ((this.counts.get(tenant) ?? 0) >= perTenant) {
      return tooMany(429, `at most ${perTenant} open streams of the tenant ${tenant}`);
    }
    return this.open.size + this.reserved.size >= perProcess
      ? tooMany(503, `at most ${perProcess} open streams in this process`)
      : undefined;
  }
}

function tooMany(status: 429 | 503, limit: string): Problem {
  const detail = `Expected ${limit}, got one more. Close one, or ask again later.`;
  const headers = { 'Retry-After': '30' };
  return new Problem(status, 'too_many_streams', 'Too many event streams are open', detail, undefined, headers);
}
