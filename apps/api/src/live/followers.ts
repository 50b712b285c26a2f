import type { ChangeCursor } from '@app/ledger';
import type { EventStream } from './event-stream';

/** An encoded event, and the position of its reader after it. */
export interface Frame<Position> {
  readonly text: string;
  readonly position: Position;
}

/** One reader, and the position after the last event that was sent. */
class Follower<Position, Stream extends Pick<EventStream, 'hasRoom' | 'send'>> {
  constructor(
    readonly tenant: string,
    public position: Position,
    readonly stream: Stream,
  ) {}

  /**
   * Sends as many frames as there is room for. The rest is read again later.
   * @returns whether all were sent
   */
  take(frames: readonly Frame<Position>[]): boolean {
    for (const { text, position } of frames) {
      if (!this.stream.hasRoom) return false;
      this.stream.send(text);
      this.position = position;
    }
    return true;
  }
}

/** One reader of all jobs of a tenant. */
export class TenantFollower extends Follower<ChangeCursor, Pick<EventStream, 'hasRoom' | 'send'>> {}

/** One reader of the events of one job. The position is the sequence of an event. */
export class JobFollower extends Follower<number, Pick<EventStream, 'hasRoom' | 'send' | 'end'>> {
  constructor(
    tenant: string,
    readonly jobId: string,
    after: number,
    stream: Pick<EventStream, 'hasRoom' | 'send' | 'end'>,
  ) {
    super(tenant, after, stream);
  }
}
