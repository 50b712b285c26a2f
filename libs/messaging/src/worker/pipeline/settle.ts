import { cancelledWhileActive, readSettled, type JobError, type Settlement } from '@app/ledger';
import { nextDelayMs, toStorable } from '@app/contracts';
import type { AbortReason } from '../lease';
import { retryUntilDatabaseUp } from '../../retry-until-database-up';
import type { Claimed, Ending, WorkerDependencies } from './worker-dependencies';
import { refusedResult } from './result';
import type { Step } from './steps';

type Decision = Omit<Settlement, 'id' | 'dispatch'>;

/** Settles the job when its attempt has ended, and wakes the relay. A fenced worker writes nothing. */
export function settleStep({
  pool,
  settleBatcher,
  leases,
  signals,
  wakeUp,
}: WorkerDependencies): Step<Claimed, void, Claimed, Ending> {
  return async (claimed, next) => {
    const { job } = claimed;
    const startedAt = performance.now();
    const ending = await next(claimed);
    signals.emit('handled', job);
    const settled = (await conclude(ending, claimed)) ?? (await settledUnseen(claimed));
    if (!settled) {
      signals.emit('fenced', job);
      return;
    }
    signals.emit('settled', job, settled, performance.now() - startedAt);
    if (settled.state === 'queued' || job.othersWait) wakeUp.request('jobs');
    if (settled.state !== 'queued') wakeUp.request('events');
  };

  async function conclude(ending: Ending, claimed: Claimed): Promise<Decision | undefined> {
    if (ending.type === 'aborted' && ending.reason === 'fenced') return undefined;
    const decision = decide(ending, claimed);
    if (ending.type === 'done' && ending.committed) return decision;
    // The last progress is written before the outcome.
    await leases.writeProgress(claimed.lease);
    return write(claimed, decision);
  }

  /**
   * When the answer to a commit was lost, the next write looks fenced although the attempt was settled. The ledger has
   * the answer.
   * @returns undefined when the attempt was fenced indeed
   */
  async function settledUnseen({ job }: Claimed): Promise<Decision | undefined> {
    const state = await retryUntilDatabaseUp('fence', signals, () => readSettled(pool, job));
    return state && { state, delayMs: 0, attemptChange: 0, result: undefined, error: undefined };
  }

  /** @returns the decision as the ledger has stored it; undefined when the dispatch was fenced */
  async function write(claimed: Claimed, decision: Decision): Promise<Decision | undefined> {
    const { id, dispatch } = claimed.job;
    try {
      const state = await settleBatcher.add({ id, dispatch, ...decision });
      if (state === undefined || state === decision.state) return state && decision;
      // A cancel was requested before the job could be queued again.
      return { ...decision, state, error: cancelledWhileActive };
    } catch (error) {
      const { result } = decision;
      const refused = result === undefined ? undefined : await refusedResult({ pool, signals }, result);
      // The fault is in our code, not in the handler. It must not fail the job for good: the lease brings the job back.
      if (!refused) throw error;
      return write(claimed, failed(refused.code, refused.reason));
    }
  }
}

/** Decides what becomes of a job after an attempt. No other code decides this. */
export function decide(ending: Ending, { job, definition }: Pick<Claimed, 'job' | 'definition'>): Decision {
  switch (ending.type) {
    case 'done':
      return { state: 'completed', delayMs: 0, attemptChange: 0, result: ending.result, error: undefined };
    case 'fail':
      return failed(ending.code, ending.reason);
    case 'snooze':
      return { state: 'queued', delayMs: ending.afterMs, attemptChange: -1, result: undefined, error: undefined };
    case 'retry':
      return again('handler_failed', ending.reason, ending.afterMs);
    case 'aborted':
      return decideAborted(ending.reason);
  }

  function decideAborted(reason: AbortReason): Decision {
    switch (reason) {
      case 'cancelled': {
        return {
          state: 'cancelled',
          delayMs: 0,
          attemptChange: 0,
          result: undefined,
          error: cancelledWhileActive,
        };
      }
      case 'drain':
        return { state: 'queued', delayMs: 0, attemptChange: -1, result: undefined, error: undefined };
      case 'timed_out':
        return again('timed_out', `The attempt took longer than ${definition.timeoutMs} ms.`, undefined);
      case 'fenced':
        throw new Error(`Job ${job.id} no longer belongs to this worker; its outcome is dropped.`);
    }
  }

  function again(code: string, message: string, afterMs: number | undefined): Decision {
    if (job.attempt >= job.maxAttempts) {
      return failed('attempts_exhausted', `Attempt ${job.attempt} of ${job.maxAttempts}: ${message}`);
    }
    const delayMs = afterMs ?? nextDelayMs(definition.retry, job.attempt);
    return { state: 'queued', delayMs, attemptChange: 0, result: undefined, error: errorOf(code, message) };
  }
}

function failed(code: string, message: string): Decision {
  return { state: 'failed', delayMs: 0, attemptChange: 0, result: undefined, error: errorOf(code, message) };
}

/** The message may contain any text. */
function errorOf(code: string, message: string): JobError {
  return { code, message: toStorable(message) };
}
