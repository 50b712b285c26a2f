import type { Channel, ConsumeMessage } from 'amqplib';

/**
 * Sends acknowledgements to RabbitMQ once per turn of the event loop: one frame for everything up to the oldest message
 * in flight, and one frame per message after it. So a slow message does not delay the acknowledgement of others.
 */
export class Acknowledgements {
  /** In the order of their delivery tags. */
  private readonly unacked = new Set<ConsumeMessage>();
  private done = new Set<ConsumeMessage>();
  private flushing: NodeJS.Immediate | undefined;

  constructor(private readonly channel: Channel) {
    // RabbitMQ has requeued the messages of a closed channel.
    channel.once('close', () => this.unacked.clear());
  }

  /** How many messages RabbitMQ has delivered that are not acknowledged. */
  get size(): number {
    return this.unacked.size;
  }

  /** Registers a delivered message; call it in the order of delivery. */
  received(message: ConsumeMessage): void {
    this.unacked.add(message);
  }

  /** Acknowledges a message at the end of this turn of the event loop. */
  acknowledge(message: ConsumeMessage): void {
    this.done.add(message);
    this.flushing ??= setImmediate(() => this.flush());
  }

  /** Sends at once; called before the channel is closed. */
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
    try {
      if (last) this.channel.ack(last, true);
      for (const message of done) if (this.unacked.delete(message)) this.channel.ack(message, false);
    } catch {
      // The channel is closing, and RabbitMQ redelivers its messages.
    }
  }
}
