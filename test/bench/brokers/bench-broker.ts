/** A message as the driver of the library writes it. */
export interface BenchMessage {
  /** Unique per message. */
  readonly id: string;
  readonly body: object;
}

/**
 * Handles messages that arrived together, as bytes or as parsed by the client. When it resolves, all of them are
 * acknowledged.
 */
export type Take = (bodies: readonly unknown[]) => Promise<void>;

export interface Consumption {
  /** Starts to take messages. */
  start(): void;
  /** Acknowledges finished messages and closes the consumer. */
  stop(): Promise<void>;
}

/**
 * A broker with its own client, as an application without this library uses it. The bench fills and inspects the
 * broker through it, and the contenders without the library consume through it. The driver of the library has created
 * the queue.
 */
export interface BenchBroker {
  /** Publishes in batches, one after another; resolves when the broker has confirmed all of them. */
  publish(messages: readonly BenchMessage[]): Promise<void>;
  /** @param concurrency how many messages are in flight at most, if the client can limit them */
  consume(concurrency: number, take: Take): Promise<Consumption>;
  /** The number of messages in the queue, when it has no consumer. */
  depth(): Promise<number>;
  /** The number of messages that the broker counts as failed. */
  failed(): Promise<number>;
  /**
   * Removes everything under the prefix.
   * @param names of queues and events
   */
  cleanUp(names: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** @param environment of every process of a stage */
export type ConnectBroker = (environment: NodeJS.ProcessEnv) => BenchBroker | Promise<BenchBroker>;

/** The batch size of the relay. */
const batchSize = 500;

export function batches<Item>(items: readonly Item[]): Item[][] {
  const count = Math.ceil(items.length / batchSize);
  return Array.from({ length: count }, (_, n) => items.slice(n * batchSize, (n + 1) * batchSize));
}
