import type { WorkerDependencies, Received } from './worker-dependencies';
import type { Step } from './steps';

/** Waits for a slot of the kind, over all brokers of this process, and frees it at the end. */
export function concurrencyStep({ concurrencyLimiters }: WorkerDependencies): Step<Received, void, Received, void> {
  return async (received, next) => {
    const giveBack = await concurrencyLimiters.get(received.message.kind)!.take();
    try {
      await next(received);
    } finally {
      giveBack();
    }
  };
}
