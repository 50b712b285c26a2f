import type { Queue } from 'bullmq';

/** How many messages may still come to a worker, those included that a dead one has not acknowledged. */
export async function outstanding(queue: Queue): Promise<number> {
  const counts = await queue.getJobCounts('wait', 'prioritized', 'active', 'delayed');
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
