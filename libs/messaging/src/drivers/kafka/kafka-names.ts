import { subscriberQueue } from '../../port/topology';

/** The names on Kafka, all with the prefix of their system. */
export class KafkaNames {
  constructor(private readonly prefix: string) {}

  /** The topic of a queue of jobs, or of a kind of event. */
  topic(name: string): string {
    return `${this.prefix}${name}`;
  }

  /** All workers of a queue are one group: each message goes to one of them. */
  jobGroup(queue: string): string {
    return `${this.prefix}${queue}`;
  }

  /** Each subscriber is a group: each event goes to each of them. */
  subscriberGroup(event: string, subscriber: string): string {
    // Some tools do not accept `@` in a group name. A subscriber's name may contain it, followed by the time at which
    // it began anew.
    return `${this.prefix}${subscriberQueue(event, subscriber)}`.replace('@', '.');
  }
}
