import { createPostgresBackend, Queue, withBackend, type Job } from 'bullmq';
import type { CloudEvent } from 'cloudevents';
import type { BrokerSettings } from '@app/messaging';

/** Sends as another service does, with BullMQ and without our code. */
export async function addByBullmq(queue: Queue, event: CloudEvent<unknown>): Promise<void> {
  await queue.add('a job for another service', event, { priority: 2 });
}

/** The queue of that name on Redis, or on PostgreSQL without Redis. */
export function plainQueue(
  name: string,
  { REDIS_URL: url, BULLMQ_PREFIX: prefix, DATABASE_URL: connectionString }: BrokerSettings,
): Queue {
  if (url !== undefined) return new Queue(name, { connection: { url }, prefix });
  const onPostgres = withBackend(createPostgresBackend);
  return new onPostgres.Queue(name, { connection: { connectionString, schema: 'bullmq' } }) as unknown as Queue;
}

export async function firstIn(queue: Queue): Promise<Job | undefined> {
  const [first] = await queue.getJobs(['wait', 'prioritized', 'completed']);
  return first;
}
