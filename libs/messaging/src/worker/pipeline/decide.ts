import { nextDelayMs, toStorable } from '@app/contracts';
import { cancelledWhileActive, type Settlement } from '@app/ledger';
import type { AbortReason } from '../lease';
import type { Claimed, Ending } from './worker-dependencies';

/** What becomes of a job. */
export type Decision = Omit<Settlement, 'id' | 'dispatch'>;

type Attempt = Pick<Claimed, 'job' | 'definition'>;

const unchanged = { delayMs: 0, attemptChange: 0, result: undefined, error: undefined } as const;

/** Decides what becomes of a job after an attempt. No other code decides this. */
export function decide(ending: Ending, attempt: Attempt): Decision {
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

function decideAborted(attempt: Attempt, reason: AbortReason): Decision {
  switch (reason) {
    case 'cancelled':
      return { ...unchanged, state: 'cancelled', error: cancelledWhileActive };
    case 'drain':
      return { ...unchanged, state: 'queued', attemptChange: -1 };
    case 'timed_out':
      return retried(
        attempt,
        'timed_out',
        `The attempt took longer than ${attempt.definition.timeoutMs} ms.`,
        undefined,
      );
    case 'fenced':
      throw new Error(`Job ${attempt.job.id} no longer belongs to this worker; its outcome is dropped.`);
  }
}

/** Queued again, or failed when this was the last attempt. @param afterMs undefined: as the retry policy says */
function retried({ job, definition }: Attempt, code: string, message: string, afterMs: number | undefined): Decision {
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
