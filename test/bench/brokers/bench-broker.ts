/** A message as the library's own driver would write it. */
export interface BenchMessage {
  /** No two messages have the same. */
  readonly id: string;
  readonly body: object;
}

/** Works on what came together: bytes, or what the client has parsed. When it resolves, all of it is acknowledged. */
export type Take = (bodies: readonly unknown[]) => Promise<void>;

export interface Consumption {
  /** Takes the first message now, not before. */
  start(): void;
  /** Acknowledges what is done, and goes. */
  stop(): Promise<void>;
}

/**
 * A broker by its own client, as somebody uses it who has nothing of this library: what the bench fills and looks at,
 * and what the contenders without the library consume with. The queue is the one that the library's driver has made.
 */
export interface BenchBroker {
  /** In bulk, one batch after the other; resolves when the broker has confirmed all. */
  publish(messages: readonly BenchMessage[]): Promise<void>;
  /** @param concurrency how many messages are in hand at most, where the client can tell the broker */
  consume(concurrency: number, take: Take): Promise<Consumption>;
  /** What the queue holds, when nobody consumes it any more. */
  depth(): Promise<number>;
  /** How many messages the broker holds to have failed. */
  failed(): Promise<number>;
  /** Removes what was made under the prefix. @param names of queues and events */
  cleanUp(names: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** @param environment as every process of a stage has it */
export type ConnectBroker = (environment: NodeJS.ProcessEnv) => BenchBroker | Promise<BenchBroker>;

/** As many as the relay takes at once. */
const batchSize = 500;

export function batches<Item>(items: readonly Item[]): Item[][] {
  const count = Math.ceil(items.length / batchSize);
  return Array.from({ length: count }, (_, n) => items.slice(n * batchSize, (n + 1) * batchSize));
}
