import { Bulkhead } from '../bulkhead';
import type { Claimed, Ending, Step, WorkerDependencies } from './steps';

/**
 * Snoozes a job whose tenant already uses all its slots of the kind in this process. The message is acknowledged, its
 * concurrency slot is free for other tenants at once, and the attempt does not count.
 */
export function tenantStep({ handlers }: WorkerDependencies): Step<Claimed, Ending, Claimed, Ending> {
  const bulkheads = new Map(
    [...handlers.values()].map(({ definition: { kind, concurrencyPerTenant } }) => [
      kind,
      concurrencyPerTenant === undefined ? undefined : new Bulkhead(concurrencyPerTenant),
    ]),
  );
  return (claimed, next) => {
    const entered = bulkheads.get(claimed.job.kind)?.enter(claimed.job.tenant);
    if (!entered) return next(claimed);
    if ('waitMs' in entered) return Promise.resolve({ type: 'snooze', afterMs: entered.waitMs });
    return next(claimed).finally(() => entered.leave());
  };
}
