import type { Pool } from 'pg';
import { releaseHeld, releasedAtOnce, type OutboxWakeUp } from '@app/ledger';

/**
 * Releases the jobs of queues that an operator has resumed. Several relays may run it at once.
 * @throws the database's error
 */
export async function releaseResumed(pool: Pool, wakeUp: OutboxWakeUp, stopped: AbortSignal): Promise<void> {
  let count: number;
  do {
    count = await releaseHeld(pool);
    if (count > 0) wakeUp.request();
  } while (count === releasedAtOnce && !stopped.aborted);
}
