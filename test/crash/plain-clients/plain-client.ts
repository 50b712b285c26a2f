/** A client library by itself, as everybody begins with it. What is done wrongly with it is written over this, once. */
export interface PlainClient {
  /** Resolves when the broker has confirmed all of them. */
  publish(queue: string, orders: readonly number[]): Promise<void>;
  /**
   * One message after the other, so that the count of what is harmed is the same in every run.
   * @param acknowledged when the broker is told that a message is done
   */
  consume(
    queue: string,
    acknowledged: 'on receipt' | 'after work',
    work: (message: PlainMessage) => Promise<void>,
  ): Promise<PlainConsumer>;
  /** How many messages the broker would give to a worker who asks now, and those that others have in hand if it says. */
  outstanding(queue: string): Promise<number>;
  remove(queue: string): Promise<void>;
  close(): Promise<void>;
}

export interface PlainMessage {
  /** The order that it is about. */
  readonly n: number;
  /** What broker and client know the message by. An order that was published twice has two. */
  readonly id: string;
}

export interface PlainConsumer {
  /** Ends what is in hand, and acknowledges it. */
  stop(): Promise<void>;
}
