import type { Pool } from 'pg';
import { sweepExpiredLeases, type OutboxWakeUp } from '@app/persistence';
import type { MessagingEvents } from '@app/messaging';

/** Gives the jobs of workers that fell silent to others. This is the recovery; a broker's redelivery is not. */
export class Sweeper {
  private pauseUntil = 0;

  constructor(
    private readonly pool: Pool,
    private readonly wakeUp: OutboxWakeUp,
    private readonly events: MessagingEvents,
    private readonly leaseMs: number,
  ) {}

  /** After PostgreSQL was away, every lease may have run out; for the time of one, the workers may renew them first. */
  async sweep(): Promise<void> {
    if (performance.now() < this.pauseUntil) return;
    try {
      const swept = await sweepExpiredLeases(this.pool);
      for (const job of swept) this.events.emit('swept', job);
      if (swept.length > 0) this.wakeUp.request();
    } catch (error) {
      this.pauseUntil = performance.now() + this.leaseMs;
      throw error;
    }
  }
}
