import type { Pool } from 'pg';
import { countPublished, redispatchForgotten, type OutboxWakeUp } from '@app/persistence';
import type { BrokerDriver, MessagingEvents } from '@app/messaging';

/**
 * A broker may forget what it confirmed: a FLUSHALL, a disk lost, a queue deleted. Where a queue holds fewer
 * messages than the ledger has published and not yet seen claimed, on two checks one after the other, what has
 * waited too long is dispatched again. What the broker still held then becomes stale and is dropped.
 */
export class Reconciler {
  private readonly shortAtLastCheck = new Set<string>();

  constructor(
    private readonly pool: Pool,
    private readonly driver: BrokerDriver,
    private readonly queues: readonly string[],
    private readonly wakeUp: OutboxWakeUp,
    private readonly events: MessagingEvents,
    private readonly settings: { forgottenAfterMs: number },
  ) {}

  async check(): Promise<void> {
    // The ledger is read between two looks at the broker: what is published or claimed meanwhile is in one of them.
    const before = await this.depths();
    const published = await countPublished(this.pool, this.driver.name);
    const after = await this.depths();
    for (const queue of this.queues) {
      const expected = published.get(queue) ?? 0;
      const isShort = Math.max(before.get(queue)!, after.get(queue)!) < expected;
      if (!isShort) this.shortAtLastCheck.delete(queue);
      else if (this.shortAtLastCheck.has(queue)) await this.dispatchAgain(queue);
      else this.shortAtLastCheck.add(queue);
    }
  }

  private async dispatchAgain(queue: string): Promise<void> {
    let count: number;
    do {
      count = await redispatchForgotten(this.pool, this.driver.name, queue, this.settings.forgottenAfterMs);
      if (count > 0) this.events.emit('forgotten', this.driver.name, queue, count);
    } while (count === 1000);
    this.wakeUp.request();
  }

  private async depths(): Promise<Map<string, number>> {
    const depths = await Promise.all(this.queues.map((queue) => this.driver.depth(queue)));
    return new Map(this.queues.map((queue, index) => [queue, depths[index]!]));
  }
}
