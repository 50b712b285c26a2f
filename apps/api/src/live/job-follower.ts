import { isLastUpdate, jobUpdatesAtOnce, type JobUpdate } from '@app/ledger';
import { eventBody, eventFrame } from './event-frame';
import type { EventStream } from './event-stream';

/** As a reader gets it: a result has links to its files. */
export type ShownJobEvent =
  | Exclude<JobUpdate, { type: 'result' }>
  | (Pick<JobUpdate, 'sequence' | 'at'> & {
      readonly type: 'result';
      readonly data: { readonly state: 'completed'; readonly result: unknown };
    });

/** One reader of one job's events. */
export class JobFollower {
  constructor(
    readonly tenant: string,
    readonly jobId: string,
    /** The sequence of the last event that was sent. */
    public after: number,
    readonly stream: Pick<EventStream, 'hasRoom' | 'send' | 'end'>,
  ) {}

  /**
   * Sends as much as there is room for; what is left is read again.
   * @param events those that follow `after`
   * @returns whether there may be more to read at once
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
