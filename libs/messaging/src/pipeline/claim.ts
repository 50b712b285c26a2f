import type { Claimed, PipelineParts, Received } from './parts';
import type { Step } from './steps';

export function claimStep({ claims, leases, events, wakeUp }: PipelineParts): Step<Received, void, Claimed, void> {
  return async (received, next) => {
    const job = await claims.add(received.message);
    if (!job) {
      events.emit('stale', received.delivery, received.message.id, received.message.dispatch);
      return;
    }
    events.emit('claimed', job);
    wakeUp.request('changes');
    const lease = leases.hold(job);
    try {
      await next({ ...received, job, lease });
    } finally {
      leases.release(lease);
    }
  };
}
