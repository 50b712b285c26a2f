import type { Pool } from 'pg';
import { recordProgress, renewLeases, type ClaimedJob, type OutboxWakeUp, type Progress } from '@app/ledger';
import { Batcher } from './batcher';
import { Lease, type AbortReason } from './lease';
import type { MessagingSignals } from '../messaging-signals';
import { retryUntilDatabaseUp } from '../retry-until-database-up';

const progressEveryMs = 500;

/**
 * The leases of a process and their heartbeat: one statement renews all leases and returns requested cancels. When a
 * lease is not renewed, another worker has its job, and the handler's signal aborts.
 */
export class Leases {
  private readonly active = new Map<string, Lease>();
  private heartbeat: NodeJS.Timeout | undefined;
  private progressTimer: NodeJS.Timeout | undefined;
  private draining = false;
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
    this.progress = new Batcher(
      async (progress) => {
        await retryUntilDatabaseUp('progress', signals, () => recordProgress(pool, progress));
        wakeUp.request('changes');
        return progress.map(() => undefined);
      },
      // One statement at a time: a progress never overtakes an earlier one.
      { windowMs: 2, groupSize: 500, inFlight: 1 },
    );
  }

  /** Starts the heartbeat and the writing of progress. */
  start(): void {
    this.heartbeat = setInterval(() => void this.renew(), this.settings.heartbeatMs);
    this.progressTimer = setInterval(() => this.writeAllProgress(), progressEveryMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.heartbeat);
    clearInterval(this.progressTimer);
    await (this.ended ??= this.heartbeatPool.end());
  }

  get size(): number {
    return this.active.size;
  }

  /** Adds a claimed job, whose lease the heartbeat then renews. During a drain its lease aborts at once. */
  hold(job: ClaimedJob): Lease {
    const lease = new Lease(job);
    this.active.set(keyOf(job), lease);
    if (this.draining) lease.abort('drain');
    return lease;
  }

  /** Removes a job; its lease is no longer renewed. */
  release(lease: Lease): void {
    this.active.delete(keyOf(lease.job));
  }

  /** From now on no handler begins: its job is handed back. */
  refuse(): void {
    this.draining = true;
  }

  /** Asks every handler to stop. */
  abortAll(reason: Extract<AbortReason, 'drain'>): void {
    for (const lease of this.active.values()) lease.abort(reason);
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
    const leases = [...this.active.values()];
    try {
      const renewed = await renewLeases(
        this.heartbeatPool,
        leases.map(({ job }) => job),
        this.settings.leaseMs,
      );
      const kept = new Map(renewed.map((row) => [keyOf(row), row]));
      for (const lease of leases) {
        const row = kept.get(keyOf(lease.job));
        // A job that was settled while the statement ran is no longer held here, and not lost.
        if (!row && this.active.get(keyOf(lease.job)) === lease) lease.abort('fenced');
        if (row?.cancelRequested) lease.abort('cancelled');
      }
    } catch (error) {
      this.signals.emit('database_away', 'heartbeat', error, this.settings.heartbeatMs);
    } finally {
      this.renewing = false;
    }
  }

  private writeAllProgress(): void {
    for (const lease of this.active.values()) if (!lease.writing) void this.writeProgress(lease);
  }
}

function keyOf({ id, dispatch }: { id: string; dispatch: number }): string {
  return `${id}-${dispatch}`;
}
