import { setTimeout as delay } from 'node:timers/promises';
import { longestTimerMs } from '@app/contracts';
import type { PipelineParts, Received } from './parts';
import type { Step } from './steps';

export function rateStep({ turns, draining }: PipelineParts): Step<Received, void, Received, void> {
  return async (received, next) => {
    let waitMs = (await turns.of(received.delivery.broker, received.definition)?.take()) ?? 0;
    // A drain ends the wait: the job is handed back as soon as it is claimed.
    for (; waitMs > 0 && !draining.aborted; waitMs -= longestTimerMs) {
      await delay(Math.min(waitMs, longestTimerMs), undefined, { signal: draining }).catch(() => undefined);
    }
    await next(received);
  };
}
