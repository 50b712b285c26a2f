import type { Capabilities } from '../../port/capabilities';
import type { BrokerDriver } from '../../port/broker-driver';
import type { Deliver, EventSubscription, Subscription } from '../../port/consumer';
import type { EventMessage, JobMessage } from '../../port/publisher';
import { encodeEvent, encodeMessage } from '../../port/job-message';
import { subscriberQueue, subscriberQueues, type BrokerTopology } from '../../port/topology';

export const memoryCapabilities: Capabilities = {
  priority: 'native',
  rateLimit: 'none',
  concurrency: 'native',
  orderPerKey: 'bus',
  broadcast: 'bus',
  eventOrder: 'native',
  replay: 'none',
  delay: 'bus',
  retry: 'bus',
  deadLetter: 'bus',
};

const eventsAtOnce = 100;

/**
 * Replaces a broker inside one process, for tests of handlers and of the core. Its messages are lost with the process,
 * as with a broker that loses its data.
 */
export class MemoryDriver implements BrokerDriver {
  readonly name = 'memory';
  readonly capabilities = memoryCapabilities;
  private readonly queues: ReadonlyMap<string, MemoryQueue>;

  private readonly subscribers: ReadonlyMap<string, readonly string[]>;

  constructor({ queues, events }: BrokerTopology) {
    this.queues = new Map([
      ...queues.map(({ queue, concurrency }) => [queue, new MemoryQueue(queue, concurrency)] as const),
      ...subscriberQueues(events).map((name) => [name, new MemoryQueue(name, eventsAtOnce)] as const),
    ]);
    this.subscribers = new Map(events.map(({ kind, subscribers }) => [kind, subscribers]));
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  publish(messages: readonly JobMessage[]): Promise<void> {
    for (const message of messages) this.queue(message.queue).push(message.priority, encodeMessage(message));
    return Promise.resolve();
  }

  publishEvents(events: readonly EventMessage[]): Promise<void> {
    for (const event of events) {
      for (const subscriber of this.subscribers.get(event.kind) ?? []) {
        this.queue(subscriberQueue(event.kind, subscriber)).push(2, encodeEvent(event));
      }
    }
    return Promise.resolve();
  }

  /** Puts a body on a queue as another service would. */
  publishRaw(queue: string, body: unknown): void {
    this.queue(queue).push(2, body);
  }

  subscribe(queue: string, deliver: Deliver): Promise<Subscription> {
    return Promise.resolve(this.queue(queue).start(deliver));
  }

  subscribeTo({ event, subscriber }: EventSubscription, deliver: Deliver): Promise<Subscription> {
    return this.subscribe(subscriberQueue(event.kind, subscriber), deliver);
  }

  depth(queue: string): Promise<number> {
    return Promise.resolve(this.queue(queue).depth);
  }

  /** Drops every waiting message of a queue. */
  forget(queue: string): void {
    this.queue(queue).clear();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private queue(name: string): MemoryQueue {
    const queue = this.queues.get(name);
    if (!queue)
      throw new RangeError(`Expected a queue of the topology (${[...this.queues.keys()].join(', ')}), got "${name}".`);
    return queue;
  }
}

class MemoryQueue implements Subscription {
  readonly trouble = undefined;
  private readonly waiting: { priority: number; body: unknown }[] = [];
  private deliver: Deliver | undefined;
  private active = 0;

  constructor(
    private readonly name: string,
    private readonly concurrency: number,
  ) {}

  get depth(): number {
    return this.waiting.length + this.active;
  }

  push(priority: number, body: unknown): void {
    const behind = this.waiting.findLastIndex((entry) => entry.priority <= priority);
    this.waiting.splice(behind + 1, 0, { priority, body });
    this.work();
  }

  start(deliver: Deliver): Subscription {
    this.deliver = deliver;
    this.work();
    return this;
  }

  stop(): Promise<void> {
    this.deliver = undefined;
    return Promise.resolve();
  }

  clear(): void {
    this.waiting.length = 0;
  }

  private work(): void {
    while (this.deliver && this.active < this.concurrency) {
      const entry = this.waiting.shift();
      if (!entry) return;
      this.active += 1;
      void this.deliver({ broker: 'memory', queue: this.name, body: entry.body }).finally(() => {
        this.active -= 1;
        this.work();
      });
    }
  }
}
