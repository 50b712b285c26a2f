import type { BrokerName } from '@app/contracts';

/**
 * "Try job `id`, dispatch `dispatch`, now." The worker also reads `kind`, which selects the handler, and `traceparent`.
 * The other fields serve the broker and its operators.
 */
export interface JobMessage {
  readonly id: string;
  readonly dispatch: number;
  readonly kind: string;
  readonly version: number;
  readonly queue: string;
  readonly priority: number;
  /** Jobs of one order key; a broker with partitions puts them into one partition. */
  readonly orderKey: string | null;
  /** When this dispatch became due, by the database's clock. */
  readonly at: Date;
  readonly traceparent: string | null;
}

/** A domain event. Each of its subscribers gets it. */
export interface EventMessage {
  readonly id: string;
  readonly kind: string;
  readonly version: number;
  readonly tenant: string;
  /** Names what the event is about. Events with one key are published in the order in which they were recorded. */
  readonly key: string | null;
  readonly at: Date;
  readonly traceparent: string | null;
  readonly data: unknown;
}

/**
 * The half of a driver that the relay needs: it publishes, and counts what the broker still holds. The contract of both
 * halves is that of `BrokerDriver`.
 */
export interface BrokerPublisher {
  readonly name: BrokerName;
  /**
   * Publishes messages and waits until the broker has confirmed each of them.
   *
   * - Concurrency: may be called concurrently, also with `publishEvents`. On RabbitMQ and Kafka concurrent calls share
   *   one channel or producer. A call that fails replaces it, and a concurrent call may fail with it.
   * - Ordering: none is promised for jobs. The caller orders jobs by publishing the next one of an order key only after
   *   the one before is final.
   * - Blocking: RabbitMQ and Kafka time out after 4 s. On Redis a command times out after 4 s, and the call fails at
   *   once while Redis is away. BullMQ on PostgreSQL has no deadline of its own: a connection attempt may take 30 s.
   *   The relay gives every call 5 s.
   * - Cost: one round trip per queue on BullMQ, one request per partition on Kafka. RabbitMQ sends all messages of at
   *   most 32 KiB without waiting in between, and then each larger one alone. The driver splits a batch where the
   *   broker limits its size.
   * - Buffering: after an error the driver keeps no message for a later try.
   * - Duplicates: a message that is published again may be delivered again. BullMQ drops it while it still holds a job
   *   with the same id and dispatch.
   * - Retries: the caller. The relay keeps the outbox row and publishes it again after a back-off.
   * @param messages of any queues of this driver, possibly none
   * @throws BrokerUnavailable when the broker is away or did not confirm in time. No message is known to be confirmed;
   *   each may have arrived
   * @throws Unroutable when the broker has no queue, binding or topic for the messages (RabbitMQ, Kafka), and none was
   *   confirmed or refused. The driver declares what is missing before the next publish, also a missing exchange of
   *   RabbitMQ, for which it throws BrokerUnavailable
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
   * - Cost: BullMQ and memory write one message per subscriber, RabbitMQ and Kafka one per event.
   * - Confirmation: on BullMQ an event is confirmed when the queues of all its subscribers have it. After a failure it
   *   is published to all of them again.
   * - No subscriber: BullMQ, RabbitMQ and memory drop the event and count it as confirmed. Kafka keeps it in its topic.
   * @param events of any kinds of this driver, possibly none
   * @throws BrokerUnavailable, Unroutable, PartlyPublished
   */
  publishEvents(events: readonly EventMessage[]): Promise<void>;
  /**
   * Counts the messages of a queue of jobs that the broker holds, those in flight included. The reconciler compares the
   * number with the ledger.
   *
   * - Concurrency: may be called concurrently.
   * - Accuracy: a snapshot. RabbitMQ asks the consumers for their unacknowledged messages and counts a consumer that
   *   does not answer within 500 ms with its whole prefetch. Kafka counts what the group has not committed. While a
   *   consumer of RabbitMQ stops, the count may miss what it has in flight: the reconciler may then dispatch a job
   *   again, and the claim drops the older message.
   * - Blocking: RabbitMQ times out after 3 s, a command to Redis after 4 s. Kafka and BullMQ on PostgreSQL have no
   *   deadline for the whole call.
   * - Cost: a few round trips, not more with a longer queue; on Kafka a connection of its own.
   * - Side effect: RabbitMQ and Kafka declare the queue or topic when it is missing.
   * - Retries: the caller.
   * @returns 0 or more; may be too high, so that the reconciler does not take a message for lost
   * @throws BrokerUnavailable on RabbitMQ; another error on BullMQ and Kafka
   * @throws RangeError when the driver was not created for this queue
   */
  depth(queue: string): Promise<number>;
  /**
   * Closes all connections of the driver. Call it when no publish is pending.
   *
   * - Concurrency: a second call returns the result of the first one and changes nothing.
   * - Blocking: a broker that does not answer delays it by some seconds: most steps wait for at most 2 s.
   * - Errors: does not reject because the broker is away.
   */
  close(): Promise<void>;
}
