import { Logger } from '@nestjs/common';
import type { Admin, Kafka, KafkaMessage } from 'kafkajs';
import type { EventSubscription } from '../../worker/events/event-handler';
import type { BrokerDriver, Deliver, Delivery, EventMessage, JobMessage, Subscription } from '../../port/broker-driver';
import { fromBinaryMode } from '../../port/binary-mode';
import type { Capabilities } from '../../port/capabilities';
import { encodeEvent, encodeMessage } from '../../port/job-message';
import { subscriberQueue, type BrokerTopology } from '../../port/topology';
import { beginAt } from './begin-at';
import { Consumer, type Consumption } from './consumer';
import type { KafkaSettings } from './kafka-connection';
import { lagOf } from './lag';
import { Publisher, type Outgoing } from './publisher';
import { createTopics, keepTopicsReadable, KafkaNames, withAdmin } from './topics';
import { unreadable } from './unreadable-records';

export const kafkaCapabilities: Capabilities = {
  priority: 'none',
  rateLimit: 'bus',
  concurrency: 'native',
  orderPerKey: 'bus',
  broadcast: 'native',
  eventOrder: 'native',
  replay: 'native',
  delay: 'bus',
  retry: 'bus',
  deadLetter: 'bus',
};

/** https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/kafka-protocol-binding.md */
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
    const how = { group: this.names.jobGroup(queue), atOnce: concurrency, partitions, from: undefined };
    return this.consume(queue, how, queue, deliver);
  }

  subscribeTo({ event, subscriber, from }: EventSubscription, deliver: Deliver): Promise<Subscription> {
    const { kind, partitions } = event;
    const group = this.names.subscriberGroup(kind, subscriber);
    return this.consume(
      kind,
      { group, atOnce: eventsAtOnce, partitions, from },
      subscriberQueue(kind, subscriber),
      deliver,
    );
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
    how: Pick<Consumption, 'group' | 'atOnce' | 'partitions'> & { from: Date | undefined },
    queue: string,
    deliver: Deliver,
  ): Promise<Subscription> {
    const consumption = {
      topic: this.names.topic(topic),
      ...how,
      sessionMs: Math.min(longestSessionMs, Math.max(shortestSessionMs, this.settings.leaseMs)),
      handle: (message: KafkaMessage, partition: number) => {
        const why = unreadable(message);
        const body = why === undefined ? bodyOf(message) : (message.value ?? Buffer.alloc(0));
        const position = `topic "${this.names.topic(topic)}", partition ${partition}, offset ${message.offset}`;
        const expected = 'Expected a record that is not compressed, or compressed with gzip';
        return deliver({
          broker: this.name,
          queue,
          body,
          ...(why !== undefined && { unreadable: `${expected}; got one that cannot be read (${position}): ${why}` }),
        });
      },
    };
    const prepare = () =>
      withAdmin(this.kafka, async (admin) => {
        await createTopics(admin, this.names, this.topology);
        await this.keepReadable(admin);
        if (how.from) await beginAt(admin, consumption.topic, how.group, how.from);
      });
    const consumer = new Consumer(this.kafka, consumption, prepare, this.logger);
    this.consumers.push(consumer);
    return Promise.resolve(consumer);
  }

  private prepare(): Promise<void> {
    return withAdmin(this.kafka, async (admin) => {
      await createTopics(admin, this.names, this.topology);
      await this.keepReadable(admin);
    });
  }

  /** Without the right to alter topics the driver continues with their present settings. */
  private async keepReadable(admin: Admin): Promise<void> {
    await keepTopicsReadable(admin, this.names, this.topology).catch((error: unknown) =>
      this.logger.warn(`The compression of topics could not be read: ${(error as Error).message}`),
    );
  }

  private topologyOf(queue: string) {
    const found = this.topology.queues.find((known) => known.queue === queue);
    if (!found) throw new RangeError(`Queue "${queue}" was not registered.`);
    return found;
  }
}

function bodyOf({ value, headers }: KafkaMessage): Delivery['body'] {
  const bytes = value ?? Buffer.alloc(0);
  return fromBinaryMode({ headers, contentType: headers?.['content-type'], bytes }, attributePrefixes);
}
