import type { ChangeCursor } from '@app/ledger';
import type { EventStream } from './event-stream';

/** A job that has changed, ready to be sent, and how far its reader is then. */
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

  /** Sends as much as there is room for; what is left is read again. @param cursor after all of the frames */
  take(frames: readonly JobFrame[], cursor: ChangeCursor): void {
    for (const frame of frames) {
      if (!this.stream.hasRoom) return;
      this.stream.send(frame.text);
      this.cursor = frame.cursor;
    }
    this.cursor = cursor;
  }
}
