import type { Claimed, WorkerDependencies, Received } from './worker-dependencies';
import type { Step } from './steps';

/** Claims the job under a lease and passes it on. A stale dispatch ends here. The lease is released at the end. */
export function claimStep({
  claimBatcher,
  leases,
  signals,
  wakeUp,
}: WorkerDependencies): Step<Received, void, Claimed, void> {
  return async (received, next) => {
    const job = await claimBatcher.add(received.message);
    if (!job) {
      signals.emit('stale', received.delivery, received.message.id, received.message.dispatch);
      return;
    }
    signals.emit('claimed', job);
    wakeUp.request('changes');
    const lease = leases.hold(job);
    try {
      await next({ ...received, job, lease });
    } finally {
      leases.release(lease);
    }
  };
}
