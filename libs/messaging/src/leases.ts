import type { Pool } from 'pg';
import { recordProgress, renewLeases, type ClaimedJob } from '@app/persistence';
import { Lease, type AbortReason } from './lease';
import type { MessagingEvents } from './messaging-events';

const progressEveryMs = 500;

/**
 * The heartbeat: one statement renews every lease of the process and brings back who was cancelled.
 * A lease that is not renewed belongs to somebody else by now; its handler is told to stop.
 */
export class Leases {
  private readonly held = new Map<string, Lease>();
  private heartbeat: NodeJS.Timeout | undefined;
  private progressTimer: NodeJS.Timeout | undefined;
  private draining = false;
  private renewing = false;

  constructor(
    private readonly pool: Pool,
    private readonly events: MessagingEvents,
    private readonly settings: { leaseMs: number; heartbeatMs: number },
  ) {}

  start(): void {
    this.heartbeat = setInterval(() => void this.renew(), this.settings.heartbeatMs);
    this.progressTimer = setInterval(() => void this.writeProgress(), progressEveryMs);
  }

  stop(): void {
    clearInterval(this.heartbeat);
    clearInterval(this.progressTimer);
  }

  get size(): number {
    return this.held.size;
  }

  hold(job: ClaimedJob): Lease {
    const lease = new Lease(job);
    this.held.set(keyOf(job), lease);
    if (this.draining) lease.abort('drain');
    return lease;
  }

  release(lease: Lease): void {
    this.held.delete(keyOf(lease.job));
  }

  /** No handler begins from now on: its job is handed back. */
  refuse(): void {
    this.draining = true;
  }

  /** Asks every handler to stop. */
  abortAll(reason: Extract<AbortReason, 'drain'>): void {
    for (const lease of this.held.values()) lease.abort(reason);
  }

  private async renew(): Promise<void> {
    if (this.renewing || this.held.size === 0) return;
    this.renewing = true;
    const leases = [...this.held.values()];
    try {
      const renewed = await renewLeases(
        this.pool,
        leases.map(({ job }) => job),
        this.settings.leaseMs,
      );
      const kept = new Map(renewed.map((row) => [keyOf(row), row]));
      for (const lease of leases) {
        const row = kept.get(keyOf(lease.job));
        // One that was settled while the statement ran is no longer held, and not lost.
        if (!row && this.held.get(keyOf(lease.job)) === lease) lease.abort('fenced');
        if (row?.cancelRequested) lease.abort('cancelled');
      }
    } catch (error) {
      this.events.emit('database_away', 'heartbeat', error, this.settings.heartbeatMs);
    } finally {
      this.renewing = false;
    }
  }

  private async writeProgress(): Promise<void> {
    const progress = [...this.held.values()].flatMap((lease) => {
      const pending = lease.takeProgress();
      return pending ? [{ ...lease.job, ...pending }] : [];
    });
    if (progress.length === 0) return;
    try {
      await recordProgress(this.pool, progress);
    } catch (error) {
      this.events.emit('database_away', 'progress', error, progressEveryMs);
    }
  }
}

function keyOf({ id, dispatch }: { id: string; dispatch: number }): string {
  return `${id}-${dispatch}`;
}
