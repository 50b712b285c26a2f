import { claim, type Dispatch } from '@app/ledger';
import { retryUntilDatabaseUp } from '../../retry-until-database-up';
import { Batcher, hotGroups } from '../batcher';
import type { Claimed, Received, Step, WorkerDependencies } from './steps';

/**
 * Claims the job under a lease and passes it on. A stale dispatch ends here. The lease is released at the end.
 * Concurrent deliveries share one statement.
 */
export function claimStep({
  pool,
  leases,
  leaseMs,
  signals,
  wakeUp,
  drain,
}: WorkerDependencies): Step<Received, void, Claimed, void> {
  const claims = new Batcher(
    (dispatches: Dispatch[]) => retryUntilDatabaseUp('claim', signals, () => claim(pool, dispatches, leaseMs)),
    hotGroups,
  );
  return async (received, next) => {
    const job = await claims.add(received.message);
    if (!job) {
      signals.emit('stale', received.delivery, received.message.id, received.message.dispatch);
      return;
    }
    signals.emit('claimed', job);
    wakeUp.request('changes');
    const lease = leases.hold(job);
    // No handler begins during a drain: its job is handed back.
    if (drain.hasBegun) lease.abort('drain');
    try {
      await next({ ...received, job, lease });
    } finally {
      leases.release(lease);
    }
  };
}
