import { toStorable } from '@app/contracts';
import type { ClaimedJob } from '@app/ledger';

/** Why a handler is asked to stop. */
export type AbortReason = 'timed_out' | 'cancelled' | 'drain' | 'fenced';

/** The state of a job in this process, between its claim and its settlement. */
export class Lease {
  /** Created when a handler reads its signal. Most handlers end without reading it. */
  private controller: AbortController | undefined;
  private reason: AbortReason | undefined;
  private whenAborted: (() => void) | undefined;
  private pendingProgress: { percent: number; note: string | undefined } | undefined;

  /** Resolves when the last progress taken is in the ledger; undefined when none is being written. */
  writing: Promise<void> | undefined;

  constructor(readonly job: ClaimedJob) {}

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.reason) this.controller.abort(new JobAborted(this.reason));
    }
    return this.controller.signal;
  }

  /** The first reason; later ones are ignored. */
  get abortReason(): AbortReason | undefined {
    return this.reason;
  }

  /** Asks the handler to stop: aborts its signal. Only the first reason counts. */
  abort(reason: AbortReason): void {
    if (this.reason) return;
    this.reason = reason;
    this.controller?.abort(new JobAborted(reason));
    this.whenAborted?.();
  }

  /** Registers one listener without creating a signal. Calls it at most once. */
  onAbort(listener: () => void): void {
    this.whenAborted = listener;
  }

  /**
   * @param percent 0 to 100; rounded down
   * @throws RangeError for a percentage outside 0 to 100
   */
  setProgress(percent: number, note: string | undefined): void {
    if (!(percent >= 0 && percent <= 100)) {
      throw new RangeError(`Expected a progress from 0 to 100 percent, got ${percent}.`);
    }
    this.pendingProgress = { percent: Math.floor(percent), note: note === undefined ? undefined : toStorable(note) };
  }

  /** @returns the progress that is not written yet, which from now on counts as written */
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
