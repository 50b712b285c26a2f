import type { Pool } from 'pg';
import { sweepExpiredLeases, type OutboxWakeUp, type ServerClock } from '@app/ledger';
import type { MessagingSignals } from '../messaging-signals';

/**
 * Gives jobs with expired leases to other workers. This is the recovery, not a broker's redelivery.
 *
 * An expired lease means a dead worker only if the worker could have renewed it. So the sweeper first looks for
 * trouble: an error, a lock on its tables, a slow answer, another server, a clock that jumped, or a gap since its last
 * sweep. After the first sweep without trouble the workers have the time of one lease to renew theirs. A relay that has
 * just started has no earlier sweep to compare with, and waits as well.
 */
export class Sweeper {
  /** The last sweep without an error, by the server's clock and by this process's monotonic clock. */
  private last: (ServerClock & { readonly at: number }) | undefined;
  private calmSince = 0;
  /** Until when a job is not swept, by the monotonic clock, because its row was locked. */
  private readonly sparedUntil = new Map<string, number>();

  constructor(
    private readonly pool: Pool,
    private readonly wakeUp: OutboxWakeUp,
    private readonly signals: MessagingSignals,
    private readonly settings: { leaseMs: number; sweepMs: number },
  ) {}

  /** Sweeps once. @throws the database's error; the next sweep then counts as the first one */
  async sweep(): Promise<void> {
    try {
      const { swept, locked } = await sweepExpiredLeases(this.pool, this.spared(), (clock) => this.isCalm(clock));
      for (const id of locked) this.sparedUntil.set(id, performance.now() + this.settings.leaseMs);
      for (const job of swept) this.signals.emit('swept', job);
      if (swept.length > 0) this.wakeUp.request();
    } catch (error) {
      this.last = undefined;
      throw error;
    }
  }

  /** @returns whether the workers have had the time of one lease without trouble */
  private isCalm(clock: ServerClock): boolean {
    const { leaseMs, sweepMs } = this.settings;
    const at = performance.now();
    const { last } = this;
    this.last = { ...clock, at };
    // After half a lease without an answer, the workers still have the other half.
    const isCalm =
      clock.startedAt === last?.startedAt &&
      clock.tookMs < leaseMs / 2 &&
      at - last.at < sweepMs + leaseMs / 2 &&
      Math.abs(clock.now - last.now - (at - last.at)) < leaseMs / 2;
    if (!isCalm) this.calmSince = at;
    return at - this.calmSince >= leaseMs;
  }

  private spared(): string[] {
    const now = performance.now();
    for (const [id, until] of this.sparedUntil) if (until <= now) this.sparedUntil.delete(id);
    return [...this.sparedUntil.keys()];
  }
}
