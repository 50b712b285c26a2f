import type { BrokerName } from '@app/contracts';
import type { EventSubscription } from '../worker/events/event-handler';
import type { Capabilities } from './capabilities';

/** "Try job `id`, dispatch `dispatch`, now." Everything else is for the broker and for people who watch it. */
export interface JobMessage {
  readonly id: string;
  readonly dispatch: number;
  readonly kind: string;
  readonly version: number;
  readonly queue: string;
  readonly priority: number;
  /** Jobs of one key; a broker with partitions keeps them together. */
  readonly orderKey: string | undefined;
  /** When this dispatch became due, by the clock of the database. */
  readonly at: Date;
  readonly traceparent: string | undefined;
}

/** A fact on its way to everybody who subscribed to its kind. */
export interface EventMessage {
  readonly id: string;
  readonly kind: string;
  readonly version: number;
  readonly tenant: string;
  /** Facts about the same thing, in the order in which they became true. */
  readonly key: string | undefined;
  readonly at: Date;
  readonly traceparent: string | undefined;
  readonly data: unknown;
}

/** A message as the broker handed it over. */
export interface Delivery {
  readonly broker: BrokerName;
  /** The queue of a job, or of a subscriber to an event. */
  readonly queue: string;
  /** Bytes, an event in binary mode, or what a client library has already parsed. */
  readonly body: unknown;
  /** The broker has given this message up, and says why: nobody is to try it again. */
  readonly givenUp?: string;
  /** The client library cannot read this message; what was expected, what came, and where it stands. */
  readonly unreadable?: string;
}

/**
 * What the pipeline does with a delivery. It never rejects: when it resolves, the ledger knows all that there is
 * to know and the driver acknowledges, whatever became of the job.
 */
export type Deliver = (delivery: Delivery) => Promise<void>;

export interface Subscription {
  /** No further deliveries from now on. Those in flight go on. Resolves at once. */
  stop(): Promise<void>;
  /** Why no message can be taken now; undefined while they can be, whether there are any or not. */
  readonly trouble: string | undefined;
}

/**
 * What a broker is reduced to. Policy (retry, delay, order, dedupe, recovery) lives above it, once.
 * A driver may deliver late, twice, out of order or, rarely, not at all: the ledger makes up for it.
 */
export interface BrokerDriver {
  readonly name: BrokerName;
  readonly capabilities: Capabilities;
  /** Resolves when the broker has been reached for the first time. */
  ready(): Promise<void>;
  /**
   * Resolves when the broker has confirmed every message. Cuts the batch where the broker takes fewer bytes at once.
   * @throws BrokerUnavailable within seconds when the broker is away, and keeps nothing in memory then; any of the
   *   messages may have arrived
   * @throws Unroutable where the broker has no place for them
   * @throws PartlyPublished where some are confirmed and others not, and where some are refused for what they are
   */
  publish(messages: readonly JobMessage[]): Promise<void>;
  /** The same for events, each of which goes to all its subscribers. */
  publishEvents(events: readonly EventMessage[]): Promise<void>;
  /** Deliveries run side by side, up to the concurrency of the queue's definitions. */
  subscribe(queue: string, deliver: Deliver): Promise<Subscription>;
  /** Deliveries begin in the order in which the broker has them. */
  subscribeTo(subscription: EventSubscription, deliver: Deliver): Promise<Subscription>;
  /** How many messages of the queue the broker holds, those being worked on included. */
  depth(queue: string): Promise<number>;
  /** Acknowledges what is settled and ends all connections. A second call changes nothing. */
  close(): Promise<void>;
}
