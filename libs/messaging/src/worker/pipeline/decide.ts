import { nextDelayMs, toStorable } from '@app/contracts';
import { cancelledWhileActive, type Settlement } from '@app/ledger';
import type { AbortReason } from '../leases';
import type { Claimed, Ending } from './steps';

/** What becomes of a job. */
export type Decision = Omit<Settlement, 'id' | 'dispatch'>;

type Attempt = Pick<Claimed, 'job' | 'definition'>;

const unchanged = { delayMs: 0, attemptChange: 0, result: undefined, error: undefined } as const;

/**
 * Decides what becomes of a job after an attempt, with these exceptions. If a cancel was requested, the SQL of `settle`
 * cancels a job that would be queued again. `settleStep` fails a job whose result cannot be stored. `ctx.transaction`
 * commits the completion itself. The sweep decides for a worker that died.
 * @returns undefined when the job no longer belongs to this worker
 */
export function decide(ending: Ending, attempt: Attempt): Decision | undefined {
  switch (ending.type) {
    case 'done':
      return { ...unchanged, state: 'completed', result: ending.result };
    case 'fail':
      return failed(ending.code, ending.reason);
    case 'snooze':
      return { ...unchanged, state: 'queued', delayMs: ending.afterMs, attemptChange: -1 };
    case 'retry':
      return retried(attempt, 'handler_failed', ending.reason, ending.afterMs);
    case 'aborted':
      return decideAborted(attempt, ending.reason);
  }
}

function decideAborted(attempt: Attempt, reason: AbortReason): Decision | undefined {
  switch (reason) {
    case 'cancelled':
      return { ...unchanged, state: 'cancelled', error: cancelledWhileActive };
    case 'drain':
      return { ...unchanged, state: 'queued', attemptChange: -1 };
    case 'timed_out':
      return retried(attempt, 'timed_out', `The attempt took longer than ${attempt.definition.timeoutMs} ms.`);
    case 'fenced':
      return undefined;
  }
}

/** Queued again, or failed when this was the last attempt. @param afterMs undefined: as the retry policy says */
function retried({ job, definition }: Attempt, code: string, message: string, afterMs?: number): Decision {
  if (job.attempt >= job.maxAttempts) {
    return failed('attempts_exhausted', `Attempt ${job.attempt} of ${job.maxAttempts}: ${message}`);
  }
  const delayMs = afterMs ?? nextDelayMs(definition.retry, job.attempt);
  return { ...unchanged, state: 'queued', delayMs, error: { code, message: toStorable(message) } };
}

/** @param message any text */
export function failed(code: string, message: string): Decision {
  return { ...unchanged, state: 'failed', error: { code, message: toStorable(message) } };
}
