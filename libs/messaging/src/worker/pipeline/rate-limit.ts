import { longestTimerMs, type JobDefinition } from '@app/contracts';
import { reserveStarts } from '@app/ledger';
import { retryUntilDatabaseUp } from '../../retry-until-database-up';
import { Batcher } from '../batcher';
import type { Received, Step, WorkerDependencies } from './steps';

type RateLimit = NonNullable<JobDefinition['rateLimit']>;

/**
 * Waits for a start of the queue, on brokers without rate limits of their own. The database keeps the start times for
 * all processes.
 */
export function rateLimitStep({
  pool,
  signals,
  drivers,
  handlers,
  drain,
}: WorkerDependencies): Step<Received, void, Received, void> {
  const limitedHere = new Set(
    drivers.filter(({ capabilities }) => capabilities.rateLimit === 'bus').map(({ name }) => name),
  );
  const starts = new Map(
    [...handlers.values()].flatMap(({ definition: { queue, rateLimit } }) =>
      rateLimit ? [[queue, startsOf(queue, rateLimit)] as const] : [],
    ),
  );

  return (received, next) => {
    const { queue, rateLimit } = received.definition;
    if (!rateLimit || !limitedHere.has(received.delivery.broker)) return next(received);
    return startIn(queue).then(() => next(received));
  };

  async function startIn(queue: string): Promise<void> {
    let waitMs = await starts.get(queue)!.add(undefined);
    // A drain ends the wait: the job is claimed and handed back at once.
    for (; waitMs > 0 && !drain.hasBegun; waitMs -= longestTimerMs) {
      await drain.sleep(Math.min(waitMs, longestTimerMs));
    }
  }

  /** Reserves starts; concurrent calls share one reservation. The result is the milliseconds until a start. */
  function startsOf(queue: string, { max, perMs }: RateLimit): Batcher<undefined, number> {
    const startMs = perMs / max;
    return new Batcher(async (asked) => {
      const firstMs = await retryUntilDatabaseUp('rate limit', signals, () =>
        reserveStarts(pool, queue, asked.length * startMs),
      );
      return asked.map((_, place) => firstMs + place * startMs);
    });
  }
}
