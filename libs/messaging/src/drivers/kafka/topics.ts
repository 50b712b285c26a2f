import type { Admin, Kafka } from 'kafkajs';
import { subscriberQueue, type BrokerTopology } from '../../port/topology';

/** What things are called on a Kafka, all under the prefix of their system. */
export class KafkaNames {
  constructor(private readonly prefix: string) {}

  /** Jobs of a queue, or events of a kind. */
  topic(name: string): string {
    return `${this.prefix}${name}`;
  }

  /** All workers of a queue are one group: each message comes to one of them. */
  jobGroup(queue: string): string {
    return `${this.prefix}${queue}`;
  }

  /** Each subscriber is a group: each event comes to each of them. */
  subscriberGroup(event: string, subscriber: string): string {
    // A group's name has no @ in some tools, a subscriber's may: it says which time it began anew.
    return `${this.prefix}${subscriberQueue(event, subscriber)}`.replace('@', '.');
  }
}

/** Makes the topics that are missing; those that are there stay as they are. */
export async function createTopics(admin: Admin, names: KafkaNames, { queues, events }: BrokerTopology): Promise<void> {
  const wanted = [
    ...queues.map(({ queue, partitions }) => ({ topic: names.topic(queue), numPartitions: partitions })),
    ...events.map(({ kind, partitions }) => ({ topic: names.topic(kind), numPartitions: partitions })),
  ];
  const there = new Set(await admin.listTopics());
  const missing = wanted.filter(({ topic }) => !there.has(topic));
  if (missing.length > 0) await admin.createTopics({ topics: missing, waitForLeaders: true });
}

/** Does something with an admin client of its own. */
export async function withAdmin<Result>(kafka: Kafka, work: (admin: Admin) => Promise<Result>): Promise<Result> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
