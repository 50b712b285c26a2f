import type { Pool } from 'pg';
import type { BrokerName, JobDefinition } from '@app/contracts';
import { reserveTurns } from '@app/persistence';
import { Collector } from './collector';
import type { MessagingEvents } from './messaging-events';
import type { BrokerDriver } from './port/broker-driver';
import { retryWhileAway } from './retry-while-away';

/** Rate limits of queues on brokers that keep none themselves: kept by the database, for all processes at once. */
export class Turns {
  private readonly limited: ReadonlySet<BrokerName>;
  private readonly byQueue = new Map<string, QueueTurns>();

  constructor(
    private readonly pool: Pool,
    private readonly events: MessagingEvents,
    drivers: readonly Pick<BrokerDriver, 'name' | 'capabilities'>[],
  ) {
    this.limited = new Set(
      drivers.filter(({ capabilities }) => capabilities.rateLimit === 'bus').map(({ name }) => name),
    );
  }

  /** @returns undefined where nobody has to wait for a turn, or where the broker itself makes him wait */
  of(broker: BrokerName, { queue, rateLimit }: JobDefinition): QueueTurns | undefined {
    if (!rateLimit || !this.limited.has(broker)) return undefined;
    const known = this.byQueue.get(queue);
    if (known) return known;
    const turns = new QueueTurns(rateLimit.perMs / rateLimit.max, (forMs) =>
      retryWhileAway('rate limit', this.events, () => reserveTurns(this.pool, queue, forMs)),
    );
    this.byQueue.set(queue, turns);
    return turns;
  }
}

/** Those who ask together reserve together. */
class QueueTurns {
  private readonly reservations: Collector<undefined, number>;

  constructor(turnMs: number, reserve: (forMs: number) => Promise<number>) {
    this.reservations = new Collector(async (asked) => {
      const firstMs = await reserve(asked.length * turnMs);
      return asked.map((_, place) => firstMs + place * turnMs);
    });
  }

  /** @returns milliseconds until the caller's turn */
  take(): Promise<number> {
    return this.reservations.add(undefined);
  }
}
