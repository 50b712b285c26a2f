import type { Claimed, Ending, Step } from './steps';

/**
 * How long a handler may take to stop after its signal aborts, in milliseconds. After that its job continues without
 * it.
 */
const stopGraceMs = 5_000;

/**
 * Ends an attempt at its time-out, or when its lease aborts: first the handler's signal aborts, and after `stopGraceMs`
 * the attempt ends without the handler.
 */
export function stopStep(): Step<Claimed, Ending, Claimed, Ending> {
  return async (claimed, next) => {
    const { lease, definition } = claimed;
    if (lease.abortReason) return { type: 'aborted', reason: lease.abortReason };

    let grace: NodeJS.Timeout | undefined;
    const timeOut = setTimeout(() => lease.abort('timed_out'), definition.timeoutMs);
    const overstayed = new Promise<Ending>((resolve) => {
      lease.onAbort = () => {
        grace = setTimeout(() => resolve({ type: 'aborted', reason: lease.abortReason! }), stopGraceMs);
      };
    });
    try {
      return await Promise.race([next(claimed), overstayed]);
    } finally {
      clearTimeout(timeOut);
      clearTimeout(grace);
    }
  };
}
