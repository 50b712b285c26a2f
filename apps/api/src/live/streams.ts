import type { Response } from 'express';
import { Problem } from '@app/http';
import { EventStream, type StreamListener, type StreamSettings } from './event-stream';
import { unacknowledged } from './unacknowledged';

export interface StreamLimits {
  readonly perProcess: number;
  readonly perTenant: number;
}

/** Who reads a stream. */
export interface Reader {
  readonly tenant: string;
  /** The id of the browser's session, if it came with one. */
  readonly session: string | undefined;
}

/** However many want a place, the streams are not looked through more often. */
const lookEveryMs = 1_000;

/** A reader whose stream has ended by its age finds its place free for so long. */
const keptPlaceMs = 5_000;

/** All open streams of this process: how many there may be, who gives way, and their common end. */
export class Streams {
  private readonly open = new Map<EventStream, Reader>();
  /** Of each tenant, the places that are taken, and those that are kept for readers who are about to come back. */
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
   * Where there is no place left, readers who are gone give way: those to whom nothing gets through any more. A reader
   * to whom something does keeps its place, however many want it.
   */
  async makeRoom(tenant: string): Promise<void> {
    if (this.refusal(tenant)) await (this.look ??= this.cutSilent());
  }

  /**
   * @param isBack whether the reader says that it has been here before
   * @param id where a reader goes on that comes back before the first event
   * @throws Problem 429 or 503, before anything was sent
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

  /** Of the sessions that have opened a stream which is open still. */
  get sessions(): string[] {
    return [...new Set([...this.open.values()].flatMap(({ session }) => session ?? []))];
  }

  /** Their readers come back, and are refused. */
  endThoseOf(sessions: readonly string[]): void {
    const ended = new Set(sessions);
    for (const [stream, { session }] of this.open) if (session !== undefined && ended.has(session)) stream.end();
  }

  /** No stream begins from now on. Readers come back by themselves, to another process. */
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

  /** So that a newcomer does not get the place of a reader who is only asked to come again. */
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
