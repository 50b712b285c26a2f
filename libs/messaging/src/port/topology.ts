import type { EventDefinition, JobDefinition } from '@app/contracts';
import type { EventSubscription } from '../worker/events/event-handler';

/** What a driver has to set up for one queue: drawn from the definitions of the jobs that travel on it. */
export interface QueueTopology {
  readonly queue: string;
  readonly concurrency: number;
  readonly rateLimit: JobDefinition['rateLimit'];
  /** On how many processes the queue can be spread, where the broker wants to know beforehand. */
  readonly partitions: number;
}

/** The same for one kind of event. */
export type EventTopology = Pick<EventDefinition, 'kind' | 'subscribers' | 'partitions'>;

export interface BrokerTopology {
  readonly queues: readonly QueueTopology[];
  readonly events: readonly EventTopology[];
}

/** Of a process that subscribes: its own subscribers only. */
export function eventsOf(subscriptions: readonly EventSubscription[]): EventTopology[] {
  const events = [...new Set(subscriptions.map(({ event }) => event))];
  return events.map(({ kind, partitions }) => ({
    kind,
    partitions,
    subscribers: subscriptions.filter(({ event }) => event.kind === kind).map(({ subscriber }) => subscriber),
  }));
}

/** @throws RangeError when two kinds of one queue want different rate limits, which no broker can keep */
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

/** What a subscriber's own queue is called, on brokers that broadcast by one queue for each. */
export function subscriberQueue(event: string, subscriber: string): string {
  return `${event}.${subscriber}`;
}

/** A broker where a message is added to one queue at a time broadcasts by adding it to each of them. */
export function subscriberQueues(events: readonly EventTopology[]): string[] {
  return events.flatMap(({ kind, subscribers }) => subscribers.map((subscriber) => subscriberQueue(kind, subscriber)));
}
