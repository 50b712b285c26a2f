import type { PipelineParts, Received } from './parts';
import type { Step } from './steps';

export function rateStep({ turns, drain }: PipelineParts): Step<Received, void, Received, void> {
  return async (received, next) => {
    const waitMs = await turns.of(received.delivery.broker, received.definition)?.take();
    // In a drain nobody waits: the job is handed back as soon as it is claimed.
    if (waitMs) await drain.sleep(waitMs);
    await next(received);
  };
}
