import {
  completeInTransaction,
  Fenced,
  readChildResults,
  recordProcessed,
  recordProgress,
  inTransaction,
} from '@app/ledger';
import type { JobContext } from '../handlers/job-handler';
import { reasonOf } from '../../reason-of';
import { checkedOutcome, type Outcome } from '../handlers/outcome';
import { payloadOf, PayloadRefused } from './payload';
import { refusedResult } from './settle';
import type { Claimed, Ending, WorkerDependencies } from './steps';

/** How long a job of a newer version waits for a worker of that version, in milliseconds. */
const newerVersionSnoozeMs = 30_000;

/** More than the grace after an attempt's time-out, in milliseconds. */
const transactionSlackMs = 10_000;

/**
 * Runs the handler. It never rejects: an exception becomes `retry`, unless the attempt was asked to stop or has lost its
 * lease; an invalid payload or result becomes `fail`. A job of a newer version than the definition's is snoozed.
 */
export function executeStep({
  pool,
  transactions,
  signals,
}: WorkerDependencies): (claimed: Claimed) => Promise<Ending> {
  return async (claimed) => {
    const { definition, handler, job, lease } = claimed;
    if (job.version > definition.version) return { type: 'snooze', afterMs: newerVersionSnoozeMs };
    try {
      const payload = payloadOf(definition, job.version, job.payload);
      return checkedOutcome(await handler.handle({ ...job, payload }, contextOf(claimed)), definition);
    } catch (error) {
      if (error instanceof PayloadRefused) return { type: 'fail', code: 'payload_invalid', reason: error.message };
      if (error instanceof Fenced) return { type: 'aborted', reason: 'fenced' };
      if (lease.abortReason) return { type: 'aborted', reason: lease.abortReason };
      return { type: 'retry', afterMs: undefined, reason: reasonOf(error) };
    }
  };

  function contextOf({ job, lease, definition }: Claimed): JobContext {
    return {
      effectKey: job.id,
      get signal() {
        return lease.signal;
      },
      childResults: () => readChildResults.run(pool, { parentId: job.id }),
      progress: (percent, note) => lease.setProgress(percent, note),
      transaction: async (work) => {
        let unwritten: { readonly result: unknown } | undefined;
        try {
          return await transactions.$transaction(
            async (tx) => {
              const unseen = await recordProcessed(tx, job.kind, [job.id]);
              if (!unseen.has(job.id)) throw new Fenced(job);
              const outcome = checkedOutcome(await work(tx), definition);
              if (outcome.type !== 'done') throw new NotDone(outcome);
              const progress = lease.takeProgress();
              if (progress) await recordProgress(inTransaction(tx), [{ ...job, ...progress }]);
              await completeInTransaction(tx, job, outcome.result).catch((error: unknown) => {
                if (!(error instanceof Fenced)) unwritten = outcome;
                throw error;
              });
              return { ...outcome, committed: true };
            },
            // The time-out of the attempt must expire first.
            { timeout: definition.timeoutMs + transactionSlackMs, maxWait: definition.timeoutMs },
          );
        } catch (error) {
          if (error instanceof NotDone) return error.outcome;
          const refused = unwritten && (await refusedResult({ pool, signals }, unwritten.result));
          if (refused) return refused;
          throw error;
        }
      },
    };
  }
}

/** Rolls back the transaction of a handler that returned anything but `done`. */
class NotDone extends Error {
  constructor(readonly outcome: Outcome<never>) {
    super(outcome.type);
  }
}
