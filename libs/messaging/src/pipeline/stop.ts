import { once } from 'node:events';
import type { Claimed, Ending } from './parts';
import type { Step } from './steps';

/** How long a handler that was asked to stop may take to do so. After that its job goes on without it. */
const stopGraceMs = 5_000;

export function stopStep(): Step<Claimed, Ending, Claimed, Ending> {
  return async (claimed, next) => {
    const { lease, definition } = claimed;
    if (lease.abortReason) return { type: 'aborted', reason: lease.abortReason };

    const settled = new AbortController();
    const timeOut = setTimeout(() => lease.abort('timed_out'), definition.timeoutMs);
    try {
      return await Promise.race([next(claimed), graceAfterAbort(lease.signal, settled.signal)]);
    } finally {
      clearTimeout(timeOut);
      settled.abort();
    }

    async function graceAfterAbort(abort: AbortSignal, unwanted: AbortSignal): Promise<Ending> {
      const never = new Promise<never>(() => undefined);
      if (!abort.aborted) await once(abort, 'abort', { signal: unwanted }).catch(() => never);
      await new Promise((resolve) => {
        const grace = setTimeout(resolve, stopGraceMs);
        unwanted.addEventListener('abort', () => clearTimeout(grace), { once: true });
      });
      return { type: 'aborted', reason: lease.abortReason! };
    }
  };
}
