import type { ChangeCursor } from '@app/ledger';
import type { EventStream } from './event-stream';

/** An encoded change of a job, and the position of its reader after it. */
export interface JobFrame {
  readonly text: string;
  readonly cursor: ChangeCursor;
}

/** One reader of all jobs of a tenant. */
export class TenantFollower {
  constructor(
    readonly tenant: string,
    public cursor: ChangeCursor,
    readonly stream: Pick<EventStream, 'hasRoom' | 'send'>,
  ) {}

  /**
   * Sends as many frames as there is room for. The rest is read again later.
   * @param cursor the position after all frames
   */
  take(frames: readonly JobFrame[], cursor: ChangeCursor): void {
    for (const frame of frames) {
      if (!this.stream.hasRoom) return;
      this.stream.send(frame.text);
      this.cursor = frame.cursor;
    }
    this.cursor = cursor;
  }
}
