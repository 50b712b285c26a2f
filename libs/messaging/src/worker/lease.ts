import { toStorable } from '@app/contracts';
import type { ClaimedJob } from '@app/ledger';

/** Why a handler is asked to stop. */
export type AbortReason = 'timed_out' | 'cancelled' | 'drain' | 'fenced';

/** What this process holds of a job between its claim and its settlement. */
export class Lease {
  /** Made for the handler that looks at its signal; most are done before anybody asks them to stop. */
  private controller: AbortController | undefined;
  private reason: AbortReason | undefined;
  private whenAborted: (() => void) | undefined;
  private pendingProgress: { percent: number; note: string | undefined } | undefined;

  /** Resolves when the progress that was taken last is in the ledger. */
  writing: Promise<void> | undefined;

  constructor(readonly job: ClaimedJob) {}

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.reason) this.controller.abort(new JobAborted(this.reason));
    }
    return this.controller.signal;
  }

  /** The first reason stands. */
  get abortReason(): AbortReason | undefined {
    return this.reason;
  }

  abort(reason: AbortReason): void {
    if (this.reason) return;
    this.reason = reason;
    this.controller?.abort(new JobAborted(reason));
    this.whenAborted?.();
  }

  /** The one who waits for the end of the attempt hears of it without a signal. */
  onAbort(hear: () => void): void {
    this.whenAborted = hear;
  }

  /** @throws RangeError for a percentage outside 0 to 100 */
  setProgress(percent: number, note: string | undefined): void {
    if (!(percent >= 0 && percent <= 100)) {
      throw new RangeError(`Expected a progress from 0 to 100 percent, got ${percent}.`);
    }
    this.pendingProgress = { percent: Math.floor(percent), note: note === undefined ? undefined : toStorable(note) };
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
