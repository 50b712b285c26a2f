import type { Pool } from 'pg';
import { sweepExpiredLeases, type OutboxWakeUp, type ServerClock } from '@app/ledger';
import type { MessagingSignals } from '../messaging-signals';

/**
 * Gives the jobs of workers that fell silent to others. This is the recovery; a broker's redelivery is not.
 *
 * A lease that has run out means that its worker is gone only where the worker could have renewed it. So the sweeper
 * looks for trouble first: an error, a lock on its tables, an answer that took long, another server, a clock that
 * jumped, or a time that this process has not seen. From the first sweep without trouble the workers have the time of
 * one lease to renew theirs. A relay that has just started knows of no time before, and waits as well.
 */
export class Sweeper {
  /** The last sweep without trouble, by the server's clock and by this process's monotonic one. */
  private last: (ServerClock & { readonly at: number }) | undefined;
  private calmSince = 0;
  /** Until when jobs are not swept, by the monotonic clock: their rows were locked. */
  private readonly sparedUntil = new Map<string, number>();

  constructor(
    private readonly pool: Pool,
    private readonly wakeUp: OutboxWakeUp,
    private readonly signals: MessagingSignals,
    private readonly settings: { leaseMs: number; sweepMs: number },
  ) {}

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

  private isCalm(clock: ServerClock): boolean {
    const { leaseMs, sweepMs } = this.settings;
    const at = performance.now();
    const { last } = this;
    this.last = { ...clock, at };
    // Half a lease without an answer leaves the workers the other half.
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
