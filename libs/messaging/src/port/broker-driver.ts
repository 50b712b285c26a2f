import type { BrokerName, JobDefinition } from '@app/contracts';
import type { Capabilities } from './capabilities';

/** "Try job `id`, dispatch `dispatch`, now." Everything else is for the broker and for people who watch it. */
export interface JobMessage {
  readonly id: string;
  readonly dispatch: number;
  readonly kind: string;
  readonly version: number;
  readonly queue: string;
  readonly priority: number;
  readonly traceparent: string | undefined;
}

/** A message as the broker handed it over. */
export interface Delivery {
  readonly broker: BrokerName;
  readonly queue: string;
  /** Bytes, or what a client library has already parsed from them. */
  readonly body: unknown;
}

/**
 * What the pipeline does with a delivery. It never rejects: when it resolves, the ledger knows all that there is
 * to know and the driver acknowledges, whatever became of the job.
 */
export type Deliver = (delivery: Delivery) => Promise<void>;

export interface Subscription {
  /** No further deliveries from now on. Those in flight go on. Resolves at once. */
  stop(): Promise<void>;
}

/**
 * What a broker is reduced to. Policy (retry, delay, order, dedupe, recovery) lives above it, once.
 * A driver may deliver late, twice, out of order or, rarely, not at all: the ledger makes up for it.
 */
export interface BrokerDriver {
  readonly name: BrokerName;
  readonly capabilities: Capabilities;
  /**
   * Resolves when the broker has confirmed every message; after a rejection any of them may have arrived.
   * Rejects within seconds when the broker is away, and keeps nothing in memory then.
   */
  publish(messages: readonly JobMessage[]): Promise<void>;
  /** Deliveries run side by side, up to the concurrency of the queue's definitions. */
  subscribe(queue: string, deliver: Deliver): Promise<Subscription>;
  /** How many messages of the queue the broker holds, those being worked on included. */
  depth(queue: string): Promise<number>;
  /** Acknowledges what is settled and ends all connections. A second call changes nothing. */
  close(): Promise<void>;
}

/** What a driver has to set up for one queue: drawn from the definitions of the jobs that travel on it. */
export interface QueueTopology {
  readonly queue: string;
  readonly concurrency: number;
  readonly rateLimit: JobDefinition['rateLimit'];
}

/** @throws RangeError when two kinds of one queue want different rate limits, which no broker can keep */
export function topologyOf(definitions: readonly JobDefinition[]): QueueTopology[] {
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
    };
  });
}
