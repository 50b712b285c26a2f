import type { PipelineParts, Received } from './parts';
import type { Step } from './steps';

export function slotStep({ slots }: PipelineParts): Step<Received, void, Received, void> {
  return async (received, next) => {
    const giveBack = await slots.get(received.message.kind)!.take();
    try {
      await next(received);
    } finally {
      giveBack();
    }
  };
}
