import type { Pool } from 'pg';
import type { BrokerName, JobDefinition } from '@app/contracts';
import { reserveStarts } from '@app/ledger';
import { Batcher } from './batcher';
import type { MessagingSignals } from '../messaging-signals';
import type { BrokerDriver } from '../port/broker-driver';
import { retryUntilDatabaseUp } from '../retry-until-database-up';

/** The rate limits of queues on brokers without rate limits of their own. The database keeps them for all processes. */
export class RateLimiter {
  private readonly limited: ReadonlySet<BrokerName>;
  private readonly byQueue = new Map<string, QueueRateLimiter>();

  constructor(
    private readonly pool: Pool,
    private readonly signals: MessagingSignals,
    drivers: readonly Pick<BrokerDriver, 'name' | 'capabilities'>[],
  ) {
    this.limited = new Set(
      drivers.filter(({ capabilities }) => capabilities.rateLimit === 'bus').map(({ name }) => name),
    );
  }

  /** @returns undefined when the queue has no rate limit, or when the broker itself keeps it */
  of(broker: BrokerName, { queue, rateLimit }: JobDefinition): QueueRateLimiter | undefined {
    if (!rateLimit || !this.limited.has(broker)) return undefined;
    const known = this.byQueue.get(queue);
    if (known) return known;
    const turns = new QueueRateLimiter(rateLimit.perMs / rateLimit.max, (forMs) =>
      retryUntilDatabaseUp('rate limit', this.signals, () => reserveStarts(this.pool, queue, forMs)),
    );
    this.byQueue.set(queue, turns);
    return turns;
  }
}

/** Concurrent calls share one reservation. */
class QueueRateLimiter {
  private readonly reservations: Batcher<undefined, number>;

  constructor(turnMs: number, reserve: (forMs: number) => Promise<number>) {
    this.reservations = new Batcher(async (asked) => {
      const firstMs = await reserve(asked.length * turnMs);
      return asked.map((_, place) => firstMs + place * turnMs);
    });
  }

  /** Reserves a start. @returns milliseconds until it */
  take(): Promise<number> {
    return this.reservations.add(undefined);
  }
}
