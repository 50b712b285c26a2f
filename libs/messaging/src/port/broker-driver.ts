import type { BrokerConsumer } from './consumer';
import type { BrokerPublisher } from './publisher';

/**
 * The port: what this system needs of a broker. Policy (retry, delay, order, deduplication, recovery) is above the
 * driver, once for all brokers. The relay depends on the publisher only, a worker on the consumer only.
 *
 * A driver may deliver a message late, more than once, out of order or, rarely, not at all. The ledger corrects this: a
 * stale dispatch is dropped at its claim, and the reconciler dispatches again what a broker has lost.
 *
 * Contract for all methods:
 * - A driver connects by itself and reconnects by itself, without a limit on time or tries. The exception is BullMQ,
 *   which keeps the failure of its first connection: the process then ends, and its supervisor starts it again.
 * - A driver does not retry a failed call; the caller of the method retries. Some retries are within a call: kafkajs
 *   retries a request up to 5 times, ioredis a command once, and Kafka's `depth` reads the committed offsets up to 5
 *   times.
 * - A queue that the driver was not created for is a programming error. `subscribe`, `subscribeTo` and `depth` throw a
 *   RangeError for it, some of them synchronously, and so does `publish` of memory. RabbitMQ and Kafka do not check the
 *   kind of event in `subscribeTo`. `depth` may first report that the broker is away.
 */
export interface BrokerDriver extends BrokerPublisher, BrokerConsumer {
  /**
   * Resolves when the broker was reached for the first time and what the driver publishes to exists. On Kafka it also
   * waits until each consumer subscribed so far has joined its group. Apps do not call it; tests and benchmarks do.
   *
   * - Concurrency: may be called concurrently and repeatedly.
   * - Blocking: waits without a deadline, for as long as the broker is away. Memory resolves at once. BullMQ on
   *   PostgreSQL waits for its first connection only: it rejects when that one fails, after 30 s at the latest.
   * - Errors: on Kafka it rejects when the connection fails; a later call or `publish` connects again.
   */
  ready(): Promise<void>;
}
