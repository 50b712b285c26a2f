import type { Claimed, WorkerDependencies, Received } from './worker-dependencies';
import type { Step } from './steps';

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
