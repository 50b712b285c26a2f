import type { ClaimedJob } from '@app/persistence';

/** Why a handler is asked to stop. */
export type AbortReason = 'timed_out' | 'cancelled' | 'drain' | 'fenced';

/** What this process holds of a job between its claim and its settlement. */
export class Lease {
  private readonly controller = new AbortController();
  private pendingProgress: { percent: number; note: string | undefined } | undefined;

  constructor(readonly job: ClaimedJob) {}

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** The first reason stands. */
  get abortReason(): AbortReason | undefined {
    return this.signal.aborted ? (this.signal.reason as JobAborted).reason : undefined;
  }

  abort(reason: AbortReason): void {
    this.controller.abort(new JobAborted(reason));
  }

  /** @throws RangeError for a percentage outside 0 to 100 */
  setProgress(percent: number, note: string | undefined): void {
    if (!(percent >= 0 && percent <= 100)) {
      throw new RangeError(`Expected a progress from 0 to 100 percent, got ${percent}.`);
    }
    this.pendingProgress = { percent: Math.floor(percent), note };
  }

  /** The progress that has not been written yet, which from now on counts as written. */
  takeProgress(): { percent: number; note: string | undefined } | undefined {
    const progress = this.pendingProgress;
    this.pendingProgress = undefined;
    return progress;
  }
}

export class JobAborted extends Error {
  constructor(readonly reason: AbortReason) {
    super(
      {
        timed_out: 'The attempt took longer than the time-out of its definition.',
        cancelled: 'The job was cancelled.',
        drain: 'The worker is shutting down.',
        fenced: 'The lease ran out; the job belongs to another worker now.',
      }[reason],
    );
    this.name = 'JobAborted';
  }
}
