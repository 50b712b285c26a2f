import { cancelledWhileActive, jsonFault, readSettled, settle, type Settlement } from '@app/ledger';
import { retryUntilDatabaseUp } from '../../retry-until-database-up';
import { recordOutcome } from '../../tracing';
import { Batcher, hotGroups } from '../batcher';
import type { Outcome } from '../handlers/outcome';
import { decide, failed, type Decision } from './decide';
import type { Claimed, Ending, Step, WorkerDependencies } from './steps';

/**
 * Settles the job when its attempt has ended, and wakes the relay. A fenced worker writes nothing. Concurrent jobs share
 * one statement.
 */
export function settleStep({
  pool,
  leases,
  signals,
  wakeUp,
}: WorkerDependencies): Step<Claimed, void, Claimed, Ending> {
  const settlements = new Batcher(
    (group: Settlement[]) => retryUntilDatabaseUp('settle', signals, () => settle(pool, group)),
    hotGroups,
  );

  return async (claimed, next) => {
    const { job, lease } = claimed;
    const startedAt = performance.now();
    const ending = await next(claimed);
    signals.emit('handled', job);
    let settled = decide(ending, claimed);
    if (settled && !(ending.type === 'done' && ending.committed)) {
      // The last progress is written before the outcome.
      if (lease.progress || lease.writing) await leases.writeProgress(lease);
      settled = await write(claimed, settled);
    }
    settled ??= await settledUnseen(claimed);
    if (!settled) {
      signals.emit('fenced', job);
      return;
    }
    recordOutcome(settled);
    signals.emit('settled', job, settled, performance.now() - startedAt);
    if (settled.state === 'queued' || job.othersWait) wakeUp.request('jobs');
    if (settled.state !== 'queued') wakeUp.request('events');
  };

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
      const state = await settlements.add({ id, dispatch, ...decision });
      if (state === undefined || state === decision.state) return state && decision;
      // A cancel was requested before the job could be queued again.
      return { ...decision, state, error: cancelledWhileActive };
    } catch (error) {
      const { result } = decision;
      const refused = result === undefined ? undefined : await refusedResult({ pool, signals }, result);
      // The fault is in our code, not in the handler. It must not fail the job for good: the job runs again after its lease.
      if (!refused) throw error;
      return write(claimed, failed(refused.code, refused.reason));
    }
  }
}

/**
 * Finds out whether a write failed because of the handler's result. Asks PostgreSQL about this value, since the error
 * of a statement with many values does not say which value caused it.
 * @returns `fail`, because another attempt would return the same result; undefined when the result can be stored
 */
export async function refusedResult(
  { pool, signals }: Pick<WorkerDependencies, 'pool' | 'signals'>,
  result: unknown,
): Promise<Extract<Outcome, { type: 'fail' }> | undefined> {
  const fault = await retryUntilDatabaseUp('settle', signals, () => jsonFault(pool, result));
  if (fault === undefined) return undefined;
  const reason = `The handler returned a result that PostgreSQL does not store as JSON: ${fault}`;
  return { type: 'fail', code: 'result_not_storable', reason };
}
