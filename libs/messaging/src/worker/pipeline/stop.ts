import type { AbortReason } from '../leases';
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
  return (claimed, next) => {
    const { lease, definition } = claimed;
    if (lease.abortReason) return Promise.resolve(aborted(lease.abortReason));

    // Made by hand for each job: Promise.race needs more promises and closures.
    return new Promise<Ending>((resolve, reject) => {
      let grace: NodeJS.Timeout | undefined;
      const timeOut = setTimeout(() => lease.abort('timed_out'), definition.timeoutMs);
      const clear = (): void => {
        clearTimeout(timeOut);
        clearTimeout(grace);
      };
      lease.onAbort = () => {
        grace = setTimeout(() => {
          clear();
          resolve(aborted(lease.abortReason!));
        }, stopGraceMs);
      };
      // The handler's errors are endings, so that this rejects only for a fault of our own.
      next(claimed).then((ending) => {
        clear();
        resolve(ending);
      }, reject);
    });
  };
}

const aborted = (reason: AbortReason): Ending => ({ type: 'aborted', reason });
