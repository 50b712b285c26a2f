import type { Pool } from 'pg';
import { sweepExpiredLeases, type OutboxWakeUp } from '@app/persistence';
import type { MessagingEvents } from '@app/messaging';

/** Gives the jobs of workers that fell silent to others. This is the recovery; a broker's redelivery is not. */
export async function sweep(pool: Pool, wakeUp: OutboxWakeUp, events: MessagingEvents): Promise<void> {
  const swept = await sweepExpiredLeases(pool);
  for (const job of swept) events.emit('swept', job);
  if (swept.length > 0) wakeUp.request();
}
