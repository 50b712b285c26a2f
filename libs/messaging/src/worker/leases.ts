import type { Pool } from 'pg';
import { toStorable } from '@app/contracts';
import {
  recordProgress,
  renewLeases,
  type ClaimedJob,
  type Dispatch,
  type OutboxWakeUp,
  type Progress,
} from '@app/ledger';
import { Batcher } from './batcher';
import type { MessagingSignals } from '../messaging-signals';
import { retryUntilDatabaseUp } from '../retry-until-database-up';

const progressEveryMs = 500;

/**
 * The leases of a process and their heartbeat: one statement renews all leases and returns requested cancels. When a
 * lease is not renewed, another worker has its job, and the handler's signal aborts.
 */
export class Leases {
  private readonly active = new Set<Lease>();
  private heartbeat: NodeJS.Timeout | undefined;
  private progressTimer: NodeJS.Timeout | undefined;
  private renewing = false;
  private ended: Promise<void> | undefined;
  private readonly progress: Batcher<Progress, undefined>;

  constructor(
    pool: Pool,
    /**
     * A separate connection for the heartbeat: it must not wait behind statements that wait for a lock. Closed by
     * `stop`.
     */
    private readonly heartbeatPool: Pool,
    wakeUp: OutboxWakeUp,
    private readonly signals: MessagingSignals,
    private readonly settings: { leaseMs: number; heartbeatMs: number },
  ) {
    this.progress = new Batcher(async (progress) => {
      await retryUntilDatabaseUp('progress', signals, () => recordProgress(pool, progress));
      wakeUp.request('changes');
      return progress.map(() => undefined);
    });
  }

  /** Starts the heartbeat and the writing of progress. */
  start(): void {
    this.heartbeat = setInterval(() => void this.renew(), this.settings.heartbeatMs);
    this.progressTimer = setInterval(() => {
      for (const lease of this.active) if (lease.progress && !lease.writing) void this.writeProgress(lease);
    }, progressEveryMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.heartbeat);
    clearInterval(this.progressTimer);
    await (this.ended ??= this.heartbeatPool.end());
  }

  get size(): number {
    return this.active.size;
  }

  /** Holds a claimed job until `release`: the heartbeat renews its lease. */
  hold(job: ClaimedJob): Lease {
    const lease = new Lease(job);
    this.active.add(lease);
    return lease;
  }

  release(lease: Lease): void {
    this.active.delete(lease);
  }

  /** Asks every handler to stop, for a drain. */
  abortAll(): void {
    for (const lease of this.active) lease.abort('drain');
  }

  /**
   * Writes the last progress of a handler. Resolves when the ledger has it. Does not reject: a progress that could not
   * be written must not fail the job.
   */
  async writeProgress(lease: Lease): Promise<void> {
    await lease.writing;
    const progress = lease.takeProgress();
    if (!progress) return;
    lease.writing = this.progress
      .add({ ...lease.job, ...progress })
      .catch((error: unknown) => void this.signals.emit('database_away', 'progress', error, progressEveryMs))
      .finally(() => (lease.writing = undefined));
    await lease.writing;
  }

  private async renew(): Promise<void> {
    if (this.renewing || this.active.size === 0) return;
    this.renewing = true;
    const leases = [...this.active];
    try {
      const renewed = await renewLeases(
        this.heartbeatPool,
        leases.map(({ job }) => job),
        this.settings.leaseMs,
      );
      const kept = new Map(renewed.map((row) => [keyOf(row), row]));
      for (const lease of leases) {
        const row = kept.get(keyOf(lease.job));
        // A job that was settled while the statement ran is no longer in `active`; its lease was not lost.
        if (!row && this.active.has(lease)) lease.abort('fenced');
        if (row?.cancelRequested) lease.abort('cancelled');
      }
    } catch (error) {
      this.signals.emit('database_away', 'heartbeat', error, this.settings.heartbeatMs);
    } finally {
      this.renewing = false;
    }
  }
}

function keyOf({ id, dispatch }: Dispatch): string {
  return `${id}-${dispatch}`;
}

/** Why a handler is asked to stop. */
export type AbortReason = 'timed_out' | 'cancelled' | 'drain' | 'fenced';

/** The state of a job in this process, between its claim and its settlement. */
export class Lease {
  /** Created when a handler reads its signal. Most handlers end without reading it. */
  private controller: AbortController | undefined;
  /** The first reason; later ones are ignored. */
  abortReason: AbortReason | undefined;
  /** Called once, when the handler is asked to stop. A listener that needs no signal. */
  onAbort: (() => void) | undefined;
  /** The last progress that the handler reported; undefined when it is written. */
  progress: { readonly percent: number; readonly note: string | undefined } | undefined;
  /** Resolves when the progress that is being written is in the ledger; undefined when none is. */
  writing: Promise<void> | undefined;

  constructor(readonly job: ClaimedJob) {}

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.abortReason) this.controller.abort(new JobAborted(this.abortReason));
    }
    return this.controller.signal;
  }

  /** Asks the handler to stop: aborts its signal. Only the first reason counts. */
  abort(reason: AbortReason): void {
    if (this.abortReason) return;
    this.abortReason = reason;
    this.controller?.abort(new JobAborted(reason));
    this.onAbort?.();
  }

  /**
   * @param percent 0 to 100; rounded down
   * @throws RangeError for a percentage outside 0 to 100
   */
  setProgress(percent: number, note: string | undefined): void {
    if (!(percent >= 0 && percent <= 100)) {
      throw new RangeError(`Expected a progress from 0 to 100 percent, got ${percent}.`);
    }
    this.progress = { percent: Math.floor(percent), note: note === undefined ? undefined : toStorable(note) };
  }

  /**
   * Takes the last progress that the handler reported; the caller writes it.
   * @returns the progress; undefined when the handler has reported none since the last call
   */
  takeProgress(): Lease['progress'] {
    const { progress } = this;
    this.progress = undefined;
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
