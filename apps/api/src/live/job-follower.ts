import { isLastUpdate, jobUpdatesAtOnce, type JobUpdate } from '@app/ledger';
import { eventBody, eventFrame } from './event-frame';
import type { EventStream } from './event-stream';

/** A job update as a reader gets it: a result has links to its files. */
export type ShownJobEvent =
  | Exclude<JobUpdate, { type: 'result' }>
  | (Pick<JobUpdate, 'sequence' | 'at'> & {
      readonly type: 'result';
      readonly data: { readonly state: 'completed'; readonly result: unknown };
    });

/** One reader of the events of one job. */
export class JobFollower {
  constructor(
    readonly tenant: string,
    readonly jobId: string,
    /** The sequence of the last event that was sent. */
    public after: number,
    readonly stream: Pick<EventStream, 'hasRoom' | 'send' | 'end'>,
  ) {}

  /**
   * Sends as many events as there is room for. The rest is read again later.
   * @param events the events after the sequence `after`
   * @returns whether there may be more events to read now
   */
  take(events: readonly ShownJobEvent[]): boolean {
    for (const { sequence, type, data, at } of events) {
      if (!this.stream.hasRoom) return false;
      this.stream.send(eventFrame(sequence, eventBody(type, { ...data, at })));
      this.after = sequence;
    }
    const last = events.at(-1);
    const isAll = events.length < jobUpdatesAtOnce;
    if (isAll && last && (last.type === 'result' || isLastUpdate(last))) this.stream.end();
    return !isAll;
  }
}
