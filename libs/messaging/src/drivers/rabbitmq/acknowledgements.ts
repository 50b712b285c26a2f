import type { Channel, ConsumeMessage } from 'amqplib';

/**
 * Tells RabbitMQ what is done, once for each turn of the event loop: with one frame for everything up to the oldest
 * message that is not done, and one by one past it, so that a slow message keeps no other from being acknowledged.
 */
export class Acknowledgements {
  /** In the order of their delivery tags. */
  private readonly unacked = new Set<ConsumeMessage>();
  private done = new Set<ConsumeMessage>();
  private flushing: NodeJS.Immediate | undefined;
  private isOpen = true;

  constructor(private readonly channel: Channel) {
    // What this channel had in hand is on the queue again.
    channel.once('close', () => (this.isOpen = false));
  }

  /** How many messages RabbitMQ has sent and not seen acknowledged. */
  get size(): number {
    return this.unacked.size;
  }

  received(message: ConsumeMessage): void {
    this.unacked.add(message);
  }

  acknowledge(message: ConsumeMessage): void {
    this.done.add(message);
    this.flushing ??= setImmediate(() => this.flush());
  }

  /** Now, since the channel is about to be closed. */
  flush(): void {
    clearImmediate(this.flushing);
    this.flushing = undefined;
    const done = this.done;
    this.done = new Set();
    let last: ConsumeMessage | undefined;
    for (const message of this.unacked) {
      if (!done.delete(message)) break;
      this.unacked.delete(message);
      last = message;
    }
    if (last) this.send(last, true);
    for (const message of done) {
      this.unacked.delete(message);
      this.send(message, false);
    }
  }

  private send(message: ConsumeMessage, allUpTo: boolean): void {
    if (!this.isOpen) return;
    try {
      this.channel.ack(message, allUpTo);
    } catch {
      // The channel is being closed, and its messages go to somebody else.
    }
  }
}
