import type { Queue } from 'bullmq';
import { priorities } from '@app/contracts';
import type { Capabilities } from '../../port/capabilities';
import type { BrokerDriver } from '../../port/broker-driver';
import type { Deliver, EventSubscription, Subscription } from '../../port/consumer';
import type { EventMessage, JobMessage } from '../../port/publisher';
import { BrokerUnavailable, Publication } from '../../port/broker-errors';
import { encodeEvent, encodeMessage } from '../../port/job-message';
import { subscriberQueue, type BrokerTopology } from '../../port/topology';
import { withTimeout } from '../../with-timeout';
import { failForGood, type BullmqConnection } from './bullmq-connection';
import type { QueueProcessor } from './queue-processor';

/** Finished messages that Bull Board can still show: 200 per queue, for an hour. The ledger has all jobs. */
const kept = { count: 200, age: 3_600 };

const dispatchOptions = { attempts: 1, removeOnComplete: kept, removeOnFail: kept };

/** A message of an event holds its data, and Bull Board does not show it. */
const eventOptions = { attempts: 1, removeOnComplete: true, removeOnFail: true };

const closeMs = 2_000;

export const bullmqCapabilities: Capabilities = {
  priority: 'native',
  rateLimit: 'native',
  concurrency: 'native',
  orderPerKey: 'bus',
  broadcast: 'bus',
  eventOrder: 'none',
  replay: 'none',
  delay: 'bus',
  retry: 'bus',
  deadLetter: 'bus',
};

/**
 * BullMQ on Redis or on PostgreSQL. BullMQ's own error handling is switched off (`attempts: 1`): the ledger decides and
 * dispatches again.
 */
export class BullmqDriver implements BrokerDriver {
  readonly name = 'bullmq';
  readonly capabilities = bullmqCapabilities;
  private closed: Promise<void> | undefined;

  constructor(
    private readonly connection: BullmqConnection,
    private readonly queues: ReadonlyMap<string, Queue>,
    private readonly processors: ReadonlyMap<string, QueueProcessor>,
    private readonly events: BrokerTopology['events'],
  ) {
    for (const queue of queues.values()) {
      queue.on('error', () => undefined); // Each caller gets the error of its own call.
      queue.waitUntilReady().catch((error: unknown) => failForGood(error, () => this.closed !== undefined));
    }
  }

  async ready(): Promise<void> {
    await Promise.all([...this.queues.values()].map((queue) => queue.waitUntilReady()));
  }

  async publish(messages: readonly JobMessage[]): Promise<void> {
    await this.addToQueues(messages.map((message) => [[message.queue, toBullmqJob(message)]]));
  }

  /** BullMQ has no broadcast: each subscriber has its own queue. */
  async publishEvents(events: readonly EventMessage[]): Promise<void> {
    const subscribers = new Map(this.events.map((event) => [event.kind, event.subscribers]));
    await this.addToQueues(
      events.map((event) =>
        (subscribers.get(event.kind) ?? []).map((subscriber): Addressed => [
          subscriberQueue(event.kind, subscriber),
          toBullmqEvent(event),
        ]),
      ),
    );
  }

  subscribe(queue: string, deliver: Deliver): Promise<Subscription> {
    const processor = this.processors.get(queue);
    if (!processor) throw new RangeError(`Queue "${queue}" was not registered for consuming.`);
    processor.start(deliver);
    return Promise.resolve(processor);
  }

  subscribeTo({ event, subscriber }: EventSubscription, deliver: Deliver): Promise<Subscription> {
    return this.subscribe(subscriberQueue(event.kind, subscriber), deliver);
  }

  async depth(queue: string): Promise<number> {
    this.connection.assertUp();
    const counts = await this.queue(queue).getJobCounts('wait', 'prioritized', 'active', 'delayed');
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  }

  close(): Promise<void> {
    return (this.closed ??= this.closeOnce());
  }

  private async closeOnce(): Promise<void> {
    // On closing, BullMQ sends commands to the backend and would wait for one that is away.
    await withTimeout(closeMs, this.closeAll(), 'it did not answer').catch(() => undefined);
    await withTimeout(closeMs, this.connection.close(), 'it did not answer').catch(() => undefined);
  }

  private async closeAll(): Promise<void> {
    // Waits for the running jobs, so that each is acknowledged.
    await Promise.all([...this.processors.values()].map(({ worker }) => worker.close()));
    await Promise.all([...this.queues.values()].map((queue) => queue.close()));
  }

  /**
   * @param messages each with the queues that it goes to; a message is confirmed when all of them have it
   * @throws BrokerUnavailable, PartlyPublished
   */
  private async addToQueues(messages: readonly (readonly Addressed[])[]): Promise<void> {
    try {
      this.connection.assertUp();
    } catch (error) {
      throw new BrokerUnavailable('bullmq', error);
    }
    const byQueue = new Map<string, Map<number, BullmqJob>>();
    for (const [place, addressed] of messages.entries()) {
      for (const [queue, job] of addressed) {
        const jobs = byQueue.get(queue) ?? new Map<number, BullmqJob>();
        byQueue.set(queue, jobs.set(place, job));
      }
    }
    const publication = new Publication('bullmq', messages.length);
    /** By the index of a message: how many queues do not have it yet. */
    const missing = messages.map(({ length }) => length);
    const sent = [...byQueue].map(async ([queue, jobs]) => {
      const own = new Publication('bullmq', jobs.size);
      const add = (places: readonly number[]) => this.queue(queue).addBulk(places.map((place) => jobs.get(place)!));
      await own.send([...jobs.keys()], add, isRefusal).catch((error: unknown) => {
        publication.lose(new BrokerUnavailable('bullmq', error));
      });
      for (const place of own.confirmed) missing[place]! -= 1;
      for (const [place, reason] of own.refused) publication.refused.set(place, reason);
    });
    await Promise.all(sent);
    for (const [place, queues] of missing.entries()) if (queues === 0) publication.confirmed.add(place);
    publication.conclude();
  }

  private queue(name: string): Queue {
    const queue = this.queues.get(name);
    if (!queue) throw new RangeError(`Queue "${name}" was not registered.`);
    return queue;
  }
}

/**
 * What the backend refuses for good: text that jsonb cannot hold (22P05), more than PostgreSQL or Redis stores (54000).
 * Any other error may be our own fault, so it is not a refusal.
 */
function isRefusal(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return (
    code === '22P05' ||
    code === '54000' ||
    /string exceeds maximum allowed size|invalid bulk length/.test(String(message))
  );
}

type BullmqJob = ReturnType<typeof toBullmqJob> | ReturnType<typeof toBullmqEvent>;
type Addressed = readonly [queue: string, job: BullmqJob];

function toBullmqJob(message: JobMessage) {
  return {
    name: message.kind,
    data: encodeMessage(message),
    opts: {
      // Without a colon, which BullMQ reserves. One id per dispatch: a message published twice is stored once.
      jobId: `${message.id}-${message.dispatch}`,
      priority: message.priority,
      ...dispatchOptions,
    },
  };
}

function toBullmqEvent(event: EventMessage) {
  return {
    name: event.kind,
    data: encodeEvent(event),
    opts: { jobId: event.id, priority: priorities.normal, ...eventOptions },
  };
}
