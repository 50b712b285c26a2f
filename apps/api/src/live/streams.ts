import type { Response } from 'express';
import { Problem } from '../http/problem';
import { EventStream, type StreamListener, type StreamSettings } from './event-stream';

export interface StreamLimits {
  readonly perProcess: number;
  readonly perTenant: number;
}

/** All open streams of this process: how many there may be, and their common end. */
export class Streams {
  private readonly open = new Set<EventStream>();
  private readonly byTenant = new Map<string, number>();
  private isDraining = false;

  constructor(
    private readonly limits: StreamLimits,
    private readonly settings: StreamSettings,
  ) {}

  /**
   * @param id where a reader goes on that comes back before the first event
   * @throws Problem 429 or 503, before anything was sent
   */
  begin(tenant: string, response: Response, listener: StreamListener, id?: string): EventStream {
    const count = this.byTenant.get(tenant) ?? 0;
    this.refuseUnlessRoom(tenant, count);
    const stream = new EventStream(
      response,
      this.settings,
      {
        onRoom: () => listener.onRoom(),
        onClose: () => {
          this.open.delete(stream);
          this.leave(tenant);
          listener.onClose();
        },
      },
      id,
    );
    this.open.add(stream);
    this.byTenant.set(tenant, count + 1);
    return stream;
  }

  /** No stream begins from now on. Readers come back by themselves, to another process. */
  drain(): void {
    this.isDraining = true;
    for (const stream of this.open) stream.end();
  }

  private leave(tenant: string): void {
    const left = this.byTenant.get(tenant)! - 1;
    if (left === 0) this.byTenant.delete(tenant);
    else this.byTenant.set(tenant, left);
  }

  private refuseUnlessRoom(tenant: string, count: number): void {
    const { perProcess, perTenant } = this.limits;
    if (this.isDraining) throw new Problem(503, 'draining', 'This process is stopping', 'Ask another one.');
    if (count >= perTenant) throw tooMany(429, `at most ${perTenant} open streams of the tenant ${tenant}`);
    if (this.open.size >= perProcess) throw tooMany(503, `at most ${perProcess} open streams in this process`);
  }
}

function tooMany(status: 429 | 503, limit: string): Problem {
  return new Problem(
    status,
    'too_many_streams',
    'Too many event streams are open',
    `Expected ${limit}, got one more. Close one, or ask again later.`,
    undefined,
    { 'Retry-After': '5' },
  );
}
