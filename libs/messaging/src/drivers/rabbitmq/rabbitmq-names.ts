import { subscriberQueue } from '../../port/topology';

/** The names on RabbitMQ, all with the prefix of their system. */
export class RabbitmqNames {
  constructor(private readonly prefix: string) {}

  /** Direct exchange: the routing key is the queue of the job. */
  get jobs(): string {
    return `${this.prefix}jobs`;
  }

  /** Topic exchange: the routing key is the kind of the event, so that other services can bind `order.*`. */
  get events(): string {
    return `${this.prefix}events`;
  }

  /** Fanout exchange, and the queue behind it, for messages that the broker has dead-lettered. */
  get deadLetters(): string {
    return `${this.prefix}dead-letters`;
  }

  /** Fanout exchange that asks every consumer for its number of unacknowledged messages. */
  get unackedExchange(): string {
    return `${this.prefix}census`;
  }

  queue(queue: string): string {
    return `${this.prefix}${queue}`;
  }

  /** Fanout exchange behind the topic exchange, with one queue per subscriber. */
  event(kind: string): string {
    return `${this.prefix}${kind}`;
  }

  subscriber(kind: string, subscriber: string): string {
    return `${this.prefix}${subscriberQueue(kind, subscriber)}`;
  }
}
