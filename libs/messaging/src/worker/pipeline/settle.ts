import { cancelledWhileActive, readSettled } from '@app/ledger';
import { retryUntilDatabaseUp } from '../../retry-until-database-up';
import { decide, failed, type Decision } from './decide';
import type { Claimed, Ending, WorkerDependencies } from './worker-dependencies';
import { refusedResult } from './result';
import type { Step } from './steps';

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

  /**
   * @returns the decision as the ledger has stored it; undefined when the job is not active with this dispatch: the worker
   *   is fenced, or an earlier write has settled the attempt
   */
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
