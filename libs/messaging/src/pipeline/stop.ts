import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Lease } from '../lease';
import type { Claimed, Ending } from './parts';
import type { Step } from './steps';

/** How long a handler that was asked to stop may take to do so. After that its job goes on without it. */
const stopGraceMs = 5_000;

export function stopStep(): Step<Claimed, Ending, Claimed, Ending> {
  return async (claimed, next) => {
    const { lease, definition } = claimed;
    if (lease.abortReason) return { type: 'aborted', reason: lease.abortReason };

    const ended = new AbortController();
    const timeOut = setTimeout(() => lease.abort('timed_out'), definition.timeoutMs);
    try {
      return await Promise.race([next(claimed), overstayed(lease, ended.signal)]);
    } finally {
      clearTimeout(timeOut);
      ended.abort();
    }
  };
}

/** Resolves when the handler was asked to stop and has not; rejects, unheard, when it ends before. */
async function overstayed(lease: Lease, ended: AbortSignal): Promise<Ending> {
  await once(lease.signal, 'abort', { signal: ended });
  await delay(stopGraceMs, undefined, { signal: ended });
  return { type: 'aborted', reason: lease.abortReason! };
}
