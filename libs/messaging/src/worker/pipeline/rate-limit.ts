import { longestTimerMs } from '@app/contracts';
import type { WorkerDependencies, Received } from './worker-dependencies';
import type { Step } from './steps';

/** Waits for a start of the queue, on brokers without rate limits of their own. */
export function rateLimitStep({ rateLimiter, drain }: WorkerDependencies): Step<Received, void, Received, void> {
  return async (received, next) => {
    let waitMs = (await rateLimiter.of(received.delivery.broker, received.definition)?.take()) ?? 0;
    // A drain ends the wait: the job is claimed and handed back at once.
    for (; waitMs > 0 && !drain.hasBegun; waitMs -= longestTimerMs) await drain.sleep(Math.min(waitMs, longestTimerMs));
    await next(received);
  };
}
