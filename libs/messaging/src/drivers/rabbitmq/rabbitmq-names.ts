import { subscriberQueue } from '../../port/topology';

/** What things are called on a RabbitMQ, all under the prefix of their system. */
export class RabbitmqNames {
  constructor(private readonly prefix: string) {}

  /** Direct: a job's queue is its routing key. */
  get jobs(): string {
    return `${this.prefix}jobs`;
  }

  /** Topic: an event's kind is its routing key, so that `order.*` is a binding for whoever wants one. */
  get events(): string {
    return `${this.prefix}events`;
  }

  /** Fanout, and the one queue behind it: what the broker has given up. */
  get deadLetters(): string {
    return `${this.prefix}dead-letters`;
  }

  /** Fanout: asks every consumer what it has in hand. */
  get census(): string {
    return `${this.prefix}census`;
  }

  queue(queue: string): string {
    return `${this.prefix}${queue}`;
  }

  /** Fanout behind the topic exchange: one queue for each subscriber. */
  event(kind: string): string {
    return `${this.prefix}${kind}`;
  }

  subscriber(kind: string, subscriber: string): string {
    return `${this.prefix}${subscriberQueue(kind, subscriber)}`;
  }
}
