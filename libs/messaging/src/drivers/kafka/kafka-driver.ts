import { Logger } from '@nestjs/common';
import type { Kafka, KafkaMessage } from 'kafkajs';
import type { BrokerDriver, Deliver, EventMessage, JobMessage, Subscription } from '../../port/broker-driver';
import type { Capabilities } from '../../port/capabilities';
import { encodeEvent, encodeMessage } from '../../port/job-message';
import type { BrokerTopology } from '../../port/topology';
import { Consumer } from './consumer';
import type { KafkaSettings } from './kafka-connection';
import { lagOf } from './lag';
import { Publisher, type Outgoing } from './publisher';
import { createTopics, KafkaNames, withAdmin } from './topics';

export const kafkaCapabilities: Capabilities = {
  priority: 'none',
  rateLimit: 'bus',
  concurrency: 'native',
  orderPerKey: 'bus',
  broadcast: 'native',
  replay: 'native',
  delay: 'bus',
  retry: 'bus',
  deadLetter: 'bus',
};

const eventsAtOnce = 500;
/** The least that a Kafka takes unless it is told otherwise (group.min.session.timeout.ms). */
const shortestSessionMs = 6_000;

/** A topic for each queue of jobs and each kind of event, a group for each queue and each subscriber. */
export class KafkaDriver implements BrokerDriver {
  readonly name = 'kafka';
  readonly capabilities = kafkaCapabilities;
  private readonly names: KafkaNames;
  private readonly publisher: Publisher;
  private readonly consumers: Consumer[] = [];
  private readonly logger = new Logger('Kafka');
  private closed: Promise<void> | undefined;

  constructor(
    private readonly kafka: Kafka,
    private readonly topology: BrokerTopology,
    private readonly settings: KafkaSettings,
  ) {
    this.names = new KafkaNames(settings.prefix);
    this.publisher = new Publisher(kafka, () => this.prepare());
  }

  async ready(): Promise<void> {
    await this.publisher.connect();
    await Promise.all(this.consumers.map(({ joined }) => joined));
  }

  async publish(messages: readonly JobMessage[]): Promise<void> {
    await this.publisher.publish(
      messages.map((message) => this.outgoing(message.queue, message.orderKey ?? message.id, encodeMessage(message))),
    );
  }

  async publishEvents(events: readonly EventMessage[]): Promise<void> {
    await this.publisher.publish(
      events.map((event) => this.outgoing(event.kind, event.key ?? event.id, encodeEvent(event))),
    );
  }

  subscribe(queue: string, deliver: Deliver): Promise<Subscription> {
    const { concurrency, partitions } = this.topologyOf(queue);
    return this.consume(queue, this.names.jobGroup(queue), concurrency, partitions, queue, deliver);
  }

  subscribeTo(event: string, subscriber: string, deliver: Deliver): Promise<Subscription> {
    const { partitions } = this.topology.events.find(({ kind }) => kind === event)!;
    const group = this.names.subscriberGroup(event, subscriber);
    return this.consume(event, group, eventsAtOnce, partitions, subscriber, deliver);
  }

  depth(queue: string): Promise<number> {
    return withAdmin(this.kafka, async (admin) => {
      await createTopics(admin, this.names, { queues: [this.topologyOf(queue)], events: [] });
      return lagOf(admin, this.names.topic(queue), this.names.jobGroup(queue));
    });
  }

  close(): Promise<void> {
    return (this.closed ??= Promise.all([
      this.publisher.close(),
      ...this.consumers.map((consumer) => consumer.close()),
    ]).then(() => undefined));
  }

  private outgoing(name: string, key: string, event: object): Outgoing {
    return {
      topic: this.names.topic(name),
      key,
      value: JSON.stringify(event),
      headers: { 'content-type': 'application/cloudevents+json' },
    };
  }

  private consume(
    topic: string,
    group: string,
    atOnce: number,
    partitions: number,
    queue: string,
    deliver: Deliver,
  ): Promise<Subscription> {
    const consumption = {
      topic: this.names.topic(topic),
      group,
      atOnce,
      partitions,
      sessionMs: Math.max(shortestSessionMs, this.settings.leaseMs),
      handle: ({ value }: KafkaMessage) => deliver({ broker: this.name, queue, body: value ?? Buffer.alloc(0) }),
    };
    const consumer = new Consumer(this.kafka, consumption, () => this.prepare(), this.logger);
    this.consumers.push(consumer);
    return Promise.resolve(consumer);
  }

  private prepare(): Promise<void> {
    return withAdmin(this.kafka, (admin) => createTopics(admin, this.names, this.topology));
  }

  private topologyOf(queue: string) {
    const found = this.topology.queues.find((known) => known.queue === queue);
    if (!found) throw new RangeError(`Queue "${queue}" was not registered.`);
    return found;
  }
}
