import { Logger } from '@nestjs/common';
import type { Admin, Kafka, KafkaMessage } from 'kafkajs';
import type { BrokerDriver } from '../../port/broker-driver';
import type { Deliver, EventSubscription, Subscription } from '../../port/consumer';
import type { EventMessage, JobMessage } from '../../port/publisher';
import { fromBinaryMode } from '../../port/binary-mode';
import { encodeEvent, encodeMessage } from '../../port/job-message';
import { queueOf, subscriberQueue, type BrokerTopology } from '../../port/topology';
import { Consumer, type Consumption } from './consumer';
import { connectKafka, type KafkaSettings } from './kafka-connection';
import { kafkaCapabilities } from './kafka-capabilities';
import { KafkaNames } from './kafka-names';
import { beginAt, lagOf } from './offsets';
import { Publisher, type Outgoing } from './publisher';
import { createTopics, keepTopicsReadable, withAdmin } from './topics';
import { unreadable } from './unreadable-records';

/**
 * The prefix of the Kafka headers that hold the attributes of a CloudEvent in binary mode
 * (https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/kafka-protocol-binding.md).
 */
const attributePrefixes = ['ce_'];
const eventsAtOnce = 500;
/** Kafka's default minimum session time-out (group.min.session.timeout.ms). */
const shortestSessionMs = 6_000;
/** Kafka's default maximum (group.max.session.timeout.ms): with a longer time-out no worker could join its group. */
const longestSessionMs = 30 * 60_000;

/** A topic for each queue of jobs and each kind of event, a group for each queue and each subscriber. */
export class KafkaDriver implements BrokerDriver {
  readonly name = 'kafka';
  readonly capabilities = kafkaCapabilities;
  private readonly kafka: Kafka;
  private readonly names: KafkaNames;
  private readonly publisher: Publisher;
  private readonly consumers: Consumer[] = [];
  private readonly logger = new Logger('Kafka');
  private closed: Promise<void> | undefined;

  /** @param application the name of the client, for operators */
  constructor(
    private readonly settings: KafkaSettings,
    application: string,
    private readonly topology: BrokerTopology,
  ) {
    this.kafka = connectKafka(settings, application);
    this.names = new KafkaNames(settings.prefix);
    this.publisher = new Publisher(this.kafka, () => this.prepare());
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
    const { concurrency, partitions } = queueOf(this.topology, queue);
    const [topic, group] = [this.names.topic(queue), this.names.jobGroup(queue)];
    return this.consume({ topic, group, atOnce: concurrency, partitions }, undefined, queue, deliver);
  }

  subscribeTo({ event, subscriber, from }: EventSubscription, deliver: Deliver): Promise<Subscription> {
    const { kind, partitions } = event;
    const [topic, group] = [this.names.topic(kind), this.names.subscriberGroup(kind, subscriber)];
    const queue = subscriberQueue(kind, subscriber);
    return this.consume({ topic, group, atOnce: eventsAtOnce, partitions }, from, queue, deliver);
  }

  depth(queue: string): Promise<number> {
    return withAdmin(this.kafka, async (admin) => {
      await createTopics(admin, this.names, { queues: [queueOf(this.topology, queue)], events: [] });
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
    source: Pick<Consumption, 'topic' | 'group' | 'atOnce' | 'partitions'>,
    from: Date | undefined,
    queue: string,
    deliver: Deliver,
  ): Promise<Subscription> {
    const { topic, group } = source;
    const consumption = {
      ...source,
      sessionMs: Math.min(longestSessionMs, Math.max(shortestSessionMs, this.settings.leaseMs)),
      handle: (message: KafkaMessage, partition: number) => {
        const { headers, value, offset } = message;
        const bytes = value ?? Buffer.alloc(0);
        const why = unreadable(message);
        if (why === undefined) {
          const native = { headers, contentType: headers?.['content-type'], bytes };
          return deliver({ broker: this.name, queue, body: fromBinaryMode(native, attributePrefixes) });
        }
        const position = `topic "${topic}", partition ${partition}, offset ${offset}`;
        const expected = 'Expected a record that is not compressed, or compressed with gzip';
        const detail = `${expected}; got one that cannot be read (${position}): ${why}`;
        return deliver({ broker: this.name, queue, body: bytes, unreadable: detail });
      },
    };
    const prepare = () =>
      this.prepare(async (admin) => {
        if (from) await beginAt(admin, topic, group, from);
      });
    const consumer = new Consumer(this.kafka, consumption, prepare, this.logger);
    this.consumers.push(consumer);
    return Promise.resolve(consumer);
  }

  /** Without the right to alter topics the driver continues with their present settings. */
  private prepare(more?: (admin: Admin) => Promise<void>): Promise<void> {
    return withAdmin(this.kafka, async (admin) => {
      await createTopics(admin, this.names, this.topology);
      await keepTopicsReadable(admin, this.names, this.topology).catch((error: unknown) =>
        this.logger.warn(`The compression of topics could not be read: ${(error as Error).message}`),
      );
      await more?.(admin);
    });
  }
}
