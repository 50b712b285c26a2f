import type { Pool } from 'pg';
import { countPublished, redispatchForgotten, redispatchLimit, type OutboxWakeUp } from '@app/ledger';
import type { BrokerPublisher } from '../port/publisher';
import type { MessagingSignals } from '../messaging-signals';

/**
 * Finds messages that a broker has confirmed and then lost: by a FLUSHALL, a lost disk, a deleted queue, or a failover
 * that drops the last messages. There are two signs. A queue holds fewer messages than the ledger has published and not
 * seen settled, in two checks in a row. Or a job still waits although jobs that became due much later are active.
 */
export class Reconciler {
  private readonly shortAtLastCheck = new Set<string>();

  constructor(
    private readonly pool: Pool,
    private readonly driver: BrokerPublisher,
    private readonly queues: readonly string[],
    private readonly wakeUp: OutboxWakeUp,
    private readonly signals: MessagingSignals,
    private readonly settings: { forgottenAfterMs: number; reconcileMs: number },
  ) {}

  /**
   * Checks every queue of the broker once. Does nothing when a depth cannot be read.
   * @throws the database's error
   */
  async check(): Promise<void> {
    // Reads the ledger between two reads of the broker: one of the two includes what is published or claimed meanwhile.
    const before = await this.depths();
    if (!before) return;
    const published = await countPublished(this.pool, this.driver.name);
    const after = await this.depths();
    if (!after) return;
    for (const queue of this.queues) {
      this.signals.emit('measured', this.driver.name, queue, after.get(queue)!);
      const isShort = Math.max(before.get(queue)!, after.get(queue)!) < (published.get(queue) ?? 0);
      const isShortAgain = isShort && this.shortAtLastCheck.has(queue);
      if (isShort) this.shortAtLastCheck.add(queue);
      else this.shortAtLastCheck.delete(queue);
      await this.dispatchAgain(queue, isShortAgain);
    }
  }

  private async dispatchAgain(queue: string, isShort: boolean): Promise<void> {
    let count: number;
    do {
      count = await redispatchForgotten(this.pool, this.driver.name, queue, this.settings.forgottenAfterMs, isShort);
      if (count > 0) this.signals.emit('forgotten', this.driver.name, queue, count);
      if (count > 0) this.wakeUp.request();
    } while (count === redispatchLimit);
  }

  /** @returns the messages in each queue; undefined when the broker does not say */
  private async depths(): Promise<Map<string, number> | undefined> {
    const depthOf = async (queue: string) => [queue, await this.driver.depth(queue)] as const;
    try {
      return new Map(await Promise.all(this.queues.map(depthOf)));
    } catch (error) {
      this.signals.emit('reconcile_failed', this.driver.name, error, this.settings.reconcileMs);
      return undefined;
    }
  }
}
