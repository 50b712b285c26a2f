/**
 * A client library in its basic form, without mistakes. The ways to use it wrongly are written once, in
 * plain-worker-process.ts.
 */
export interface PlainClient {
  /** Resolves when the broker has confirmed all messages. */
  publish(queue: string, orders: readonly number[]): Promise<void>;
  /**
   * Handles one message after another, so that the number of harmed jobs is the same in every run.
   * @param acknowledged when the message is acknowledged
   */
  consume(
    queue: string,
    acknowledged: 'on receipt' | 'after work',
    work: (message: PlainMessage) => Promise<void>,
  ): Promise<PlainConsumer>;
  /** How many messages the broker would deliver to a new worker, plus those in flight if the broker reports them. */
  outstanding(queue: string): Promise<number>;
  remove(queue: string): Promise<void>;
  close(): Promise<void>;
}

export interface PlainMessage {
  /** The order that the message is about. */
  readonly n: number;
  /** The id of the message for broker and client. An order that was published twice has two. */
  readonly id: string;
}

export interface PlainConsumer {
  /** Finishes the messages in flight and acknowledges them. */
  stop(): Promise<void>;
}
