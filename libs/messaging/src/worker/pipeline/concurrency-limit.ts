import type { WorkerDependencies, Received } from './worker-dependencies';
import type { Step } from './steps';

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
