import type { EventDefinition, JobDefinition } from '@app/contracts';
import type { EventSubscription } from './consumer';

/** What a driver sets up for one queue, derived from the job definitions of that queue. */
export interface QueueTopology {
  readonly queue: string;
  readonly concurrency: number;
  readonly rateLimit: JobDefinition['rateLimit'];
  /** How many processes can share the queue, for a broker that must know in advance. */
  readonly partitions: number;
}

/** What a driver sets up for one kind of event. */
export type EventTopology = Pick<EventDefinition, 'kind' | 'subscribers' | 'partitions'>;

export interface BrokerTopology {
  readonly queues: readonly QueueTopology[];
  readonly events: readonly EventTopology[];
}

/** The events of a process that subscribes, with its own subscribers only. */
export function eventsOf(subscriptions: readonly EventSubscription[]): EventTopology[] {
  const events = [...new Set(subscriptions.map(({ event }) => event))];
  return events.map(({ kind, partitions }) => ({
    kind,
    partitions,
    subscribers: subscriptions.filter(({ event }) => event.kind === kind).map(({ subscriber }) => subscriber),
  }));
}

/** @throws RangeError when two kinds of one queue have different rate limits, which no broker can keep */
export function queuesOf(definitions: readonly JobDefinition[]): QueueTopology[] {
  const queues = [...new Set(definitions.map(({ queue }) => queue))];
  return queues.map((queue) => {
    const kinds = definitions.filter((definition) => definition.queue === queue);
    const limits = new Set(kinds.map(({ rateLimit }) => JSON.stringify(rateLimit)));
    if (limits.size > 1) {
      throw new RangeError(
        `Queue "${queue}": expected one rate limit, got ${limits.size} from ${kinds.map(({ kind }) => kind).join(', ')}. ` +
          'Give them the same limit, or queues of their own.',
      );
    }
    return {
      queue,
      concurrency: kinds.reduce((sum, { concurrency }) => sum + concurrency, 0),
      rateLimit: kinds[0]?.rateLimit,
      partitions: Math.max(...kinds.map(({ partitions }) => partitions)),
    };
  });
}

/**
 * @returns the topology of one queue of jobs
 * @throws RangeError when the driver was not created for this queue
 */
export function queueOf({ queues }: BrokerTopology, queue: string): QueueTopology {
  const found = queues.find((known) => known.queue === queue);
  if (!found) throw new RangeError(`Queue "${queue}" was not registered.`);
  return found;
}

/**
 * The name under which a subscriber's deliveries run. On brokers that broadcast through one queue per subscriber, it is
 * also the name of that queue.
 */
export function subscriberQueue(event: string, subscriber: string): string {
  return `${event}.${subscriber}`;
}

/** The queues of all subscribers, for a broker that broadcasts by adding a message to each queue. */
export function subscriberQueues(events: readonly EventTopology[]): string[] {
  return events.flatMap(({ kind, subscribers }) => subscribers.map((subscriber) => subscriberQueue(kind, subscriber)));
}
