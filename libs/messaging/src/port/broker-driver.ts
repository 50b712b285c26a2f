import type { BrokerName } from '@app/contracts';
import type { EventSubscription } from '../worker/events/event-handler';
import type { Capabilities } from './capabilities';

/** "Try job `id`, dispatch `dispatch`, now." The other fields serve the broker and its operators. */
export interface JobMessage {
  readonly id: string;
  readonly dispatch: number;
  readonly kind: string;
  readonly version: number;
  readonly queue: string;
  readonly priority: number;
  /** Jobs of one order key; a broker with partitions puts them into one partition. */
  readonly orderKey: string | undefined;
  /** When this dispatch became due, by the database's clock. */
  readonly at: Date;
  readonly traceparent: string | undefined;
}

/** A domain event. Each of its subscribers gets it. */
export interface EventMessage {
  readonly id: string;
  readonly kind: string;
  readonly version: number;
  readonly tenant: string;
  /** Names what the event is about. Events with one key are published in the order in which they were recorded. */
  readonly key: string | undefined;
  readonly at: Date;
  readonly traceparent: string | undefined;
  readonly data: unknown;
}

/** A message that the broker has delivered to this process. */
export interface Delivery {
  readonly broker: BrokerName;
  /** The queue of a job, or of a subscriber to an event. */
  readonly queue: string;
  /** Bytes, an event in binary mode, or what a client library has already parsed. */
  readonly body: unknown;
  /**
   * Why the broker no longer delivers this message; such a message must not be tried again. Undefined for any other.
   */
  readonly givenUp?: string;
  /** Why the client library cannot read this message, and where the message is. Undefined for any other. */
  readonly unreadable?: string;
}

/**
 * Handles one delivery. A driver calls it for every message that it receives.
 *
 * - Concurrency: a driver may call it concurrently, up to the limit of the subscription.
 * - Blocking: it resolves when the ledger has recorded the outcome, whatever the outcome is. That may take as long as
 *   the handler runs. It may never resolve: the message then stays unacknowledged until the connection closes, and the
 *   broker redelivers it to another process.
 * - Errors: it never rejects. A driver needs no error path for it.
 * - Acknowledgement: the driver acknowledges the message when it resolves, and never before.
 */
export type Deliver = (delivery: Delivery) => Promise<void>;

export interface Subscription {
  /**
   * Stops the subscription: the driver starts no further deliveries. Deliveries in flight continue, and the driver
   * acknowledges each when it is done. The broker redelivers what it sent ahead and the driver did not start.
   *
   * - Blocking: does not wait for deliveries in flight. Kafka and memory resolve at once. BullMQ and RabbitMQ ask the
   *   backend to stop and wait for its answer for at most 1 s.
   * - Errors: does not reject because the broker is away.
   */
  stop(): Promise<void>;
  /**
   * Why the subscription cannot receive messages now; undefined while it can, also when the queue is empty.
   *
   * - BullMQ: why the last try to take a job failed.
   * - RabbitMQ: why the channel is closed.
   * - Kafka: why the consumer crashed or could not start, for 15 s: a consumer that starts again looks healthy until
   *   it fails at the same record.
   * - Memory: always undefined.
   */
  readonly trouble: string | undefined;
}

/**
 * The port: what this system needs of a broker. Policy (retry, delay, order, deduplication, recovery) is above the
 * driver, once for all brokers.
 *
 * A driver may deliver a message late, more than once, out of order or, rarely, not at all. The ledger corrects this: a
 * stale dispatch is dropped at its claim, and the reconciler dispatches again what a broker has lost.
 *
 * Contract for all methods:
 * - A driver connects by itself and reconnects by itself, without a limit on time or tries. The exception is BullMQ,
 *   which keeps the failure of its first connection: the process then ends, and its supervisor starts it again.
 * - A driver does not retry a failed call; the caller of the method retries. kafkajs retries a request up to 5 times
 *   within a call.
 * - A queue that the driver was not created for is a programming error. `subscribe`, `subscribeTo` and `depth` throw a
 *   RangeError for it, some of them synchronously. RabbitMQ and Kafka do not check the kind of event in `subscribeTo`.
 */
export interface BrokerDriver {
  readonly name: BrokerName;
  readonly capabilities: Capabilities;
  /**
   * Resolves when the broker was reached for the first time and what the driver publishes to exists. On Kafka it also
   * waits until each consumer subscribed so far has joined its group. Apps do not call it; tests and benchmarks do.
   *
   * - Concurrency: may be called concurrently and repeatedly.
   * - Blocking: waits without a deadline, for as long as the broker is away. Memory resolves at once.
   * - Errors: on Kafka it rejects when the first connection fails; a later `publish` connects again.
   */
  ready(): Promise<void>;
  /**
   * Publishes messages and waits until the broker has confirmed each of them.
   *
   * - Concurrency: may be called concurrently, also with `publishEvents`. On RabbitMQ and Kafka concurrent calls share
   *   one channel or producer. A call that fails replaces it, and a concurrent call may fail with it.
   * - Ordering: none is promised for jobs. The caller orders jobs by publishing the next one of an order key only after
   *   the one before is final.
   * - Blocking: RabbitMQ and Kafka time out after 4 s. On Redis a command times out after 4 s, and the call fails at
   *   once while Redis is away. BullMQ on PostgreSQL has no deadline of its own: a connection attempt may take 30 s.
   *   The relay gives every call 5 s. The driver splits a batch where the broker limits its size.
   * - Buffering: after an error the driver keeps no message for a later try.
   * - Duplicates: a message that is published again may be delivered again. BullMQ drops it while it still holds a job
   *   with the same id and dispatch.
   * - Retries: the caller. The relay keeps the outbox row and publishes it again after a back-off.
   * @param messages of any queues of this driver, possibly none
   * @throws BrokerUnavailable when the broker is away or did not confirm in time. No message is known to be confirmed;
   *   each may have arrived
   * @throws Unroutable when the broker has no queue, exchange or topic for the messages (RabbitMQ, Kafka), and none was
   *   confirmed or refused. The driver declares what is missing before the next publish
   * @throws PartlyPublished when some messages are confirmed and others are not, or when the broker refuses some of
   *   them for good
   */
  publish(messages: readonly JobMessage[]): Promise<void>;
  /**
   * Publishes events and waits until the broker has confirmed each of them. Each subscriber of an event gets it. The
   * contract is that of `publish`, except:
   *
   * - Ordering: with the capability `eventOrder: 'native'` events with one key are delivered in the order of the array,
   *   and in the order of calls that do not overlap. Other drivers may reorder them: RabbitMQ publishes large messages
   *   last.
   * - Confirmation: on BullMQ an event is confirmed when the queues of all its subscribers have it. After a failure it
   *   is published to all of them again.
   * - No subscriber: BullMQ, RabbitMQ and memory drop the event and count it as confirmed. Kafka keeps it in its topic.
   * @param events of any kinds of this driver, possibly none
   * @throws BrokerUnavailable, Unroutable, PartlyPublished
   */
  publishEvents(events: readonly EventMessage[]): Promise<void>;
  /**
   * Starts to deliver the messages of a queue of jobs. Several processes may subscribe to one queue; the broker gives
   * each message to one of them.
   *
   * - Concurrency: call it once per queue and driver, one call after another. Deliveries run concurrently, up to the
   *   sum of the concurrency of the queue's definitions. On RabbitMQ this is the prefetch, 65,535 at most.
   * - Ordering: none is promised. BullMQ and memory deliver by priority.
   * - Blocking: resolves without waiting for the broker. The subscription connects in the background; `trouble` says
   *   why it cannot.
   * - Redelivery: BullMQ redelivers a message whose worker has not renewed its lock for the lease time. RabbitMQ
   *   redelivers what is unacknowledged when the channel closes. Kafka redelivers what is not committed when the
   *   partition moves to another process or the consumer starts again. Memory never redelivers.
   * - Retries: the driver. After a failure BullMQ takes again after 1 s, RabbitMQ reopens a channel after 200 ms and a
   *   connection after 1 s, Kafka starts its consumer again after 500 ms.
   * @param deliver is called for every message; see `Deliver`
   * @throws RangeError when the driver was not created for this queue
   */
  subscribe(queue: string, deliver: Deliver): Promise<Subscription>;
  /**
   * Starts to deliver the events of a subscription. The contract is that of `subscribe`, except:
   *
   * - Concurrency: up to 100 deliveries run concurrently, on Kafka up to 500.
   * - Ordering: deliveries begin in the order in which the broker holds the events: of a queue, or on Kafka of a
   *   partition. They may end in any order.
   * @param subscription its `from` sets where a new subscriber begins on a broker with replay (Kafka). Other drivers
   *   ignore it
   * @throws RangeError on BullMQ and memory, when the driver was not created for this subscriber
   */
  subscribeTo(subscription: EventSubscription, deliver: Deliver): Promise<Subscription>;
  /**
   * Counts the messages of a queue of jobs that the broker holds, those in flight included.
   *
   * - Concurrency: may be called concurrently.
   * - Accuracy: a snapshot. RabbitMQ asks the consumers for their unacknowledged messages and counts a consumer that
   *   does not answer within 500 ms with its whole prefetch. Kafka counts what the group has not committed.
   * - Blocking: RabbitMQ times out after 3 s, a command to Redis after 4 s. Kafka and BullMQ on PostgreSQL have no
   *   deadline for the whole call.
   * - Side effect: RabbitMQ and Kafka declare the queue or topic when it is missing.
   * - Retries: the caller.
   * @returns 0 or more; may be too high, so that the reconciler does not take a message for lost
   * @throws BrokerUnavailable on RabbitMQ; the client library's own error on BullMQ and Kafka
   * @throws RangeError when the driver was not created for this queue
   */
  depth(queue: string): Promise<number>;
  /**
   * Acknowledges what is done and closes all connections. Call it after the subscriptions were stopped and the
   * deliveries in flight are done: the broker redelivers what is not acknowledged by then.
   *
   * - Concurrency: a second call returns the result of the first one and changes nothing.
   * - Blocking: a broker that does not answer delays it by some seconds: most steps wait for at most 2 s. BullMQ uses
   *   that time to wait for deliveries in flight.
   * - Errors: does not reject because the broker is away.
   */
  close(): Promise<void>;
}
