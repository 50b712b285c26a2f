import type { BrokerName, EventDefinition } from '@app/contracts';
import type { Capabilities } from './capabilities';

/** A message that the broker has delivered to this process. */
export interface Delivery {
  readonly broker: BrokerName;
  /** The queue of a job, or of a subscriber to an event. */
  readonly queue: string;
  /** A `Buffer` with the raw bytes; a `BinaryEvent`; or a value that is already parsed (BullMQ, memory). */
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

/** Which event a subscriber gets, under which name, and from when on. */
export interface EventSubscription<E extends EventDefinition = EventDefinition> {
  readonly event: E;
  /** One of the subscribers that the event's definition names. */
  readonly subscriber: string;
  /** Where a new subscriber begins on a broker that can replay. Default: the first event that the broker still has. */
  readonly from?: Date | undefined;
  /** How many events share a transaction at most. Default: 200. */
  readonly together?: number | undefined;
}

export interface Subscription {
  /**
   * Stops the subscription: the driver starts no further deliveries. Deliveries in flight continue, and the driver
   * acknowledges each when it is done. The broker redelivers what it sent ahead and the driver did not start. On
   * RabbitMQ it also stops the consumer of dead letters, which all subscriptions of a process share.
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

/** The half of a driver that a worker needs. The contract of both halves is that of `BrokerDriver`. */
export interface BrokerConsumer {
  readonly name: BrokerName;
  readonly capabilities: Capabilities;
  /**
   * Starts to deliver the messages of a queue of jobs. Several processes may subscribe to one queue; the broker gives
   * each message to one of them.
   *
   * - Concurrency: call it once per queue and driver, one call after another. Deliveries run concurrently, up to the
   *   sum of the concurrency of the queue's definitions. On RabbitMQ this is the prefetch, 65,535 at most. Up to 10
   *   dead letters come on top. After a channel has reopened, redelivered messages run beside the handlers that still
   *   run.
   * - Ordering: none is promised. BullMQ and memory deliver by priority.
   * - Blocking: resolves without waiting for the broker. The subscription connects in the background; `trouble` says
   *   why it cannot.
   * - Cost: a channel on RabbitMQ, a connection and a group member on Kafka, a worker on BullMQ. RabbitMQ and Kafka
   *   declare the queue or topic when it is missing.
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
   * Acknowledges what is done and closes all connections of the driver. Call it after the subscriptions were stopped
   * and the deliveries in flight are done: the broker redelivers what is not acknowledged by then.
   *
   * - Concurrency: a second call returns the result of the first one and changes nothing.
   * - Blocking: a broker that does not answer delays it by some seconds: most steps wait for at most 2 s. BullMQ uses
   *   that time to wait for deliveries in flight.
   * - Errors: does not reject because the broker is away.
   */
  close(): Promise<void>;
}
