import { subscriberQueue } from '../../port/topology';

/** The names on RabbitMQ, all with the prefix of their system. */
export class RabbitmqNames {
  /** Direct exchange: the routing key is the queue of the job. */
  readonly jobs: string;
  /** Topic exchange: the routing key is the kind of the event, so that other services can bind `order.*`. */
  readonly events: string;
  /** Fanout exchange, and the queue behind it, for messages that the broker has dead-lettered. */
  readonly deadLetters: string;
  /** Fanout exchange that asks every consumer for its number of unacknowledged messages. */
  readonly unackedExchange: string;

  constructor(private readonly prefix: string) {
    this.jobs = `${prefix}jobs`;
    this.events = `${prefix}events`;
    this.deadLetters = `${prefix}dead-letters`;
    this.unackedExchange = `${prefix}census`;
  }

  /** @returns a name at the broker as this system knows it: without the prefix */
  withoutPrefix(name: string): string {
    return name.startsWith(this.prefix) ? name.slice(this.prefix.length) : name;
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
