import type { Response } from 'express';
import { Problem } from '@app/http';
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

/** How long, in ms, a slot is reserved for a reader whose stream ended because its life was over. */
const keptPlaceMs = 5_000;

/** All open streams of this process. Enforces their limits, cuts lost readers, and ends all streams on shutdown. */
export class Streams {
  private readonly open = new Map<EventStream, Reader>();
  /** The number of slots in use by each tenant, including those reserved for readers that will reconnect. */
  private readonly places = new Map<string, number>();
  private readonly kept = new Map<string, Set<NodeJS.Timeout>>();
  private all = 0;
  private isDraining = false;
  private look: Promise<void> | undefined;

  constructor(
    private readonly limits: StreamLimits,
    private readonly settings: StreamSettings,
  ) {}

  /**
   * If no slot is free, cuts the streams of lost readers, which accept or acknowledge no more data. A reader that
   * takes all of its data within five seconds keeps its slot.
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
    if (isBack) this.takeKept(tenant);
    const refusal = this.refusal(tenant);
    if (refusal) throw refusal;
    const stream = new EventStream(
      response,
      this.settings,
      {
        onRoom: () => listener.onRoom(),
        onClose: () => {
          this.open.delete(stream);
          this.add(tenant, -1);
          if (stream.isOld) this.keepPlace(tenant);
          listener.onClose();
        },
      },
      id,
    );
    this.open.set(stream, reader);
    this.add(tenant, 1);
    return stream;
  }

  /** The ids of the sessions with an open stream. */
  get sessions(): string[] {
    return [...new Set([...this.open.values()].flatMap(({ session }) => session ?? []))];
  }

  /** Ends the streams of these sessions. Their readers reconnect and are refused. */
  endThoseOf(sessions: readonly string[]): void {
    const ended = new Set(sessions);
    for (const [stream, { session }] of this.open) if (session !== undefined && ended.has(session)) stream.end();
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
    this.all += change;
    const places = (this.places.get(tenant) ?? 0) + change;
    if (places === 0) this.places.delete(tenant);
    else this.places.set(tenant, places);
  }

  /** Reserves a slot, so that a new reader does not get the slot of a reader that only has to reconnect. */
  private keepPlace(tenant: string): void {
    this.add(tenant, 1);
    const kept = this.kept.get(tenant) ?? new Set();
    const place = setTimeout(() => this.giveUp(tenant, place), keptPlaceMs).unref();
    this.kept.set(tenant, kept.add(place));
  }

  private takeKept(tenant: string): void {
    const [place] = this.kept.get(tenant) ?? [];
    if (place) this.giveUp(tenant, place);
  }

  private giveUp(tenant: string, place: NodeJS.Timeout): void {
    clearTimeout(place);
    const kept = this.kept.get(tenant);
    if (!kept?.delete(place)) return;
    if (kept.size === 0) this.kept.delete(tenant);
    this.add(tenant, -1);
  }

  private refusal(tenant: string): Problem | undefined {
    const { perProcess, perTenant } = this.limits;
    if (this.isDraining) return new Problem(503, 'draining', 'This process is stopping', 'Ask another one.');
    if ((this.places.get(tenant) ?? 0) >= perTenant) {
      return tooMany(429, `at most ${perTenant} open streams of the tenant ${tenant}`);
    }
    return this.all >= perProcess ? tooMany(503, `at most ${perProcess} open streams in this process`) : undefined;
  }
}

function tooMany(status: 429 | 503, limit: string): Problem {
  return new Problem(
    status,
    'too_many_streams',
    'Too many event streams are open',
    `Expected ${limit}, got one more. Close one, or ask again later.`,
    undefined,
    { 'Retry-After': '30' },
  );
}
